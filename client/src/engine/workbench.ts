/** The one place where the parts of an open canvas meet. */
import { ProtocolError } from "../api/errors";
import { CommentStore } from "../comments";
import { CanvasDocument, type Self } from "../document";
import { type Browser, NoBrowser } from "../offline";
import type { Connection } from "../session";
import { DraftStore } from "./drafts";
import { type SpellworkPage, spellwork } from "./page";
import { ConsolePlugin } from "./plugins/console";
import { HighlightPlugin } from "./plugins/highlight";
import { PreviewPlugin } from "./plugins/preview";
import { ReplayEngine } from "./replay_engine";
import { RunStore } from "./run_store";
import { SpellForms } from "./spell_forms";
import type { PageOptions, Workbench } from "./types";
import { ValueStore } from "./values";
import { wholeValue } from "./whole_value";

/** What a canvas is opened with. */
export interface OpenWorkbench {
  session: Connection;
  canvas: string;
  /** The person at this tab. */
  user: Self;
  page?: SpellworkPage;
  /** Where edits and results are kept; nowhere but in this tab when left out. */
  browser?: Browser;
}

/**
 * Open a canvas: its document, its runs, and their replay through the page's plugins, of which console, preview
 * and highlight are the first. A run that completes in this tab's sight is replayed by itself.
 */
export function openWorkbench(open: OpenWorkbench): Workbench {
  const { session, canvas, user, page = spellwork, browser = new NoBrowser() } = open;
  const document = new CanvasDocument(session, canvas, user, browser);
  const comments = new CommentStore(session, document, { id: user.id, name: user.name });
  const kept = browser.store.then((store) => store.canvas(user.id, canvas));
  const runs = new RunStore(session, document, user.id, kept);
  const drafts = new DraftStore(session, canvas, runs);
  const readPage = (hash: string, offset: number, options: PageOptions = {}) =>
    session.request("cache.value", { hash, offset, parts: "whole", ...options });
  const values = new ValueStore((hash) => wholeValue(hash, readPage));
  const console_ = new ConsolePlugin();
  const previews = new PreviewPlugin();
  const highlight = new HighlightPlugin();
  const { plugins } = page;
  const replays = new ReplayEngine(plugins, {
    view: (run) => runs.view(run),
    spell: document.spell,
    load: (value) => values.get(value),
  });
  /** The run to be replayed as soon as the server answers again. */
  let owed: string | null = null;
  const replay = (run: string) => {
    owed = null;
    replays.completed(run).catch((error: unknown) => {
      if (!(error instanceof ProtocolError && error.unanswered))
        console.error("The run could not be replayed", error);
      else if (session.status.get().state === "online") replay(run);
      else owed = run;
    });
  };
  let errorsSeen = plugins.errors.get();
  let board = runs.board.get();
  const end = [
    ...[console_, previews, highlight].map((plugin) => plugins.register(plugin)),
    runs.onEvents((events) => console_.writeEvents(events)),
    runs.onCompleted(replay),
    session.onOnline(() => owed !== null && replay(owed)),
    runs.board.subscribe(() => {
      const before = board;
      board = runs.board.get();
      previews.setBoard(board, before);
    }),
    plugins.errors.subscribe(() => {
      const known = new Set(errorsSeen);
      errorsSeen = plugins.errors.get();
      for (const error of errorsSeen) if (!known.has(error)) console_.writeError(error);
    }),
  ];
  end.push(warnBeforeLoss(document));
  const workbench: Workbench = {
    document,
    comments,
    runs,
    drafts,
    replays,
    plugins,
    console: console_,
    previews,
    highlight: highlight.now,
    value: (value) => values.get(value),
    page: readPage,
    forms: new SpellForms(session),
    close: () => {
      page.hide(workbench);
      replays.close();
      for (const stop of end) stop();
      drafts.close();
      runs.close();
      comments.end();
      document.close();
    },
  };
  page.show(workbench, session);
  return workbench;
}

/** Ask before the page is left only where something would be lost: edits that neither server nor browser has. */
function warnBeforeLoss(document: CanvasDocument): () => void {
  const ask = (event: BeforeUnloadEvent) => {
    if (document.unkept > 0) event.preventDefault();
  };
  globalThis.addEventListener?.("beforeunload", ask);
  return () => globalThis.removeEventListener?.("beforeunload", ask);
}
