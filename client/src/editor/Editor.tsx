/** One open canvas with all its panels. */
import { ReactFlowProvider } from "@xyflow/react";
import { useCallback, useEffect, useMemo } from "react";
import { inbox } from "../app/inbox";
import { tasks } from "../app/tasks";
import type { Workbench } from "../engine";
import type { User } from "../protocol";
import { RunDesk } from "../runs";
import type { Connection } from "../session";
import { ROLES } from "../sharing";
import { TestDesk } from "../spell_tests";
import { useStore } from "../store";
import { Timeline } from "../versions";
import { WorkerDesk } from "../workers";
import { Canvas } from "./components/Canvas";
import { ClosedBanner } from "./components/ClosedBanner";
import { ConsolePanel } from "./components/ConsolePanel";
import { ContextMenu } from "./components/ContextMenu";
import { CopiesSheet } from "./components/CopiesSheet";
import { FindBar } from "./components/FindBar";
import { Inspector } from "./components/Inspector";
import { Palette } from "./components/Palette";
import { ParentRunBanner } from "./components/ParentRunBanner";
import { PastBanner } from "./components/PastBanner";
import { RunDock } from "./components/runs/RunDock";
import { StepBar } from "./components/runs/StepBar";
import { ShareSheet } from "./components/ShareSheet";
import { ShortcutsSheet } from "./components/ShortcutsSheet";
import { SideRail } from "./components/SideRail";
import { ToastList } from "./components/ToastList";
import { TopBar } from "./components/TopBar";
import { Differences } from "./components/versions/Differences";
import { useChosenNode, VersionStage } from "./components/versions/VersionStage";
import { useCommentAddress } from "./hooks/useCommentAddress";
import { ConnectionContext } from "./hooks/useConnection";
import { EditorContext } from "./hooks/useEditor";
import { useInterruptedTold } from "./hooks/useInterruptedTold";
import { LoadValueContext, type Order, type ValuePage } from "./hooks/useLoadValue";
import { useNodeAddress } from "./hooks/useNodeAddress";
import { usePreload } from "./hooks/usePreload";
import { runActions } from "./hooks/useRunActions";
import { RunDeskContext } from "./hooks/useRunDesk";
import { useShortcuts } from "./hooks/useShortcuts";
import { TestDeskContext } from "./hooks/useTestDesk";
import { useTypedTaken } from "./hooks/useTypedTaken";
import { TimelineContext } from "./hooks/useVersions";
import { WorkerDeskContext } from "./hooks/useWorkerDesk";
import { Editor } from "./store/editor";
import type { NodeLibrary } from "./store/library";
import { versionEditor } from "./store/version_editor";

interface EditorPageProps {
  readonly workbench: Workbench;
  readonly library: NodeLibrary;
  readonly connection: Connection;
  readonly user: User;
}

/** The editor of an open workbench. It stays as it is while the connection comes and goes. */
export function EditorPage({ workbench, library, connection, user }: EditorPageProps) {
  const editor = useMemo(() => new Editor(workbench, library, user), [workbench, library, user]);
  const timeline = useMemo(
    () => new Timeline(connection, workbench.document),
    [connection, workbench.document],
  );
  useEffect(() => timeline.open(), [timeline]);
  const desk = useMemo(
    () => new WorkerDesk(connection, workbench.document.canvas),
    [connection, workbench.document.canvas],
  );
  useEffect(() => desk.open(), [desk]);
  const administers = editor.user.role === "admin";
  const runDesk = useMemo(
    () => new RunDesk(connection, workbench, administers),
    [connection, workbench, administers],
  );
  const testDesk = useMemo(
    () => new TestDesk(connection, workbench.document),
    [connection, workbench.document],
  );
  const shown = useStore(timeline.shown);
  const version = shown?.state === "open" ? shown : null;
  // What one looks at takes the keyboard: the canvas below it is never edited unseen.
  const drawing = version?.document ?? null;
  const past = useMemo(() => (drawing ? versionEditor(editor, drawing) : null), [editor, drawing]);
  const looked = past ?? editor;
  useShortcuts(looked);
  usePreload();
  useTypedTaken();
  useLostThings(editor);
  useRoleTold(editor);
  useLiveLostTold(editor);
  useInterruptedTold(editor, runDesk, connection);
  useRestoreTold(editor, timeline);
  useCommentAddress(editor);
  useNodeAddress(editor);
  useEffect(() => inbox.follow(connection), [connection]);
  useEffect(
    () => tasks.follow(connection, workbench.document.canvas),
    [connection, workbench.document.canvas],
  );
  const load = useCallback(
    (hash: string, offset: number, path: string, order: Order = {}): Promise<ValuePage> =>
      workbench.page(hash, offset, { path, parts: "reference", ...order }),
    [workbench],
  );
  const inspector = useInspectorShown(editor);
  const chosen = useChosenNode(looked);
  const console = useStore(editor.console);
  return (
    <EditorContext value={editor}>
      <ConnectionContext value={connection}>
        <TimelineContext value={timeline}>
          <WorkerDeskContext value={desk}>
            <RunDeskContext value={runDesk}>
              <LoadValueContext value={load}>
                <ReactFlowProvider>
                  <div className="editor">
                    <TopBar />
                    <div className="editor-body">
                      <TestDeskContext value={testDesk}>
                        <SideRail />
                      </TestDeskContext>
                      <main className="stage">
                        <div className="stage-now" inert={past !== null}>
                          <Canvas />
                          <PastBanner />
                          <StepBar />
                          <ParentRunBanner />
                        </div>
                        {shown && <VersionStage shown={shown} editor={past} />}
                        <ClosedBanner />
                        <EditorContext value={looked}>
                          <FindBar />
                        </EditorContext>
                        <RunDock />
                        {console && <ConsolePanel />}
                      </main>
                      <EditorContext value={looked}>
                        {version && !chosen ? (
                          <Differences difference={version.difference} />
                        ) : (
                          (version || inspector) && <Inspector />
                        )}
                      </EditorContext>
                    </div>
                    <EditorContext value={looked}>
                      <Palette />
                      <ContextMenu />
                    </EditorContext>
                    <ShortcutsSheet />
                    <ShareSheet />
                    <CopiesSheet />
                    <ToastList toasts={editor.toasts} />
                  </div>
                </ReactFlowProvider>
              </LoadValueContext>
            </RunDeskContext>
          </WorkerDeskContext>
        </TimelineContext>
      </ConnectionContext>
    </EditorContext>
  );
}

/** Whether the inspector is to be seen; it follows what is selected. */
function useInspectorShown(editor: Editor): boolean {
  useStore(editor.inspector);
  useStore(editor.selection);
  return editor.inspectorShown();
}

/** Say it when somebody gave this person another role: what one may do has changed under one's hands. */
function useRoleTold(editor: Editor): void {
  useEffect(() => {
    const { role } = editor.document;
    let known = role.get();
    return role.subscribe(() => {
      const [before, now] = [known, role.get()];
      if (now !== null) known = now;
      if (now === null || before === null || before === now) return;
      const may = ROLES.find(([each]) => each === now)?.[1];
      editor.toasts.show({ tone: "info", title: `You are ${now} here now`, next: `On this canvas: ${may}.` });
    });
  }, [editor]);
}

/** Say it when live mode is over without anybody's doing: edits run nothing any more. */
function useLiveLostTold(editor: Editor): void {
  useEffect(
    () =>
      editor.workbench.runs.liveLost.subscribe(() =>
        editor.toasts.show({
          tone: "info",
          title: "Live mode has ended: the server started anew, or the connection was away for long",
          next: "Edits run nothing until it is on again.",
          action: { label: "Go live", run: () => runActions(editor).toggleLive() },
        }),
      ),
    [editor],
  );
}

/** Say it when somebody else restored a version: what one wrote may be gone from the canvas, and is in the versions. */
function useRestoreTold(editor: Editor, timeline: Timeline): void {
  useEffect(
    () =>
      timeline.restored.subscribe(() => {
        const by = timeline.restored.get()?.by;
        if (!by || by.id === editor.user.id) return;
        editor.toasts.show({
          tone: "info",
          title: `${by.name} restored a version`,
          next: "What was drawn before it is kept in the versions.",
          action: { label: "Versions", run: () => editor.panel.set("versions") },
        });
      }),
    [editor, timeline],
  );
}

/** Forget selected things that somebody removed, and tell of refused work. */
function useLostThings(editor: Editor): void {
  useEffect(() => {
    const { document: shared } = editor;
    const prune = () => {
      const spell = shared.spell.get();
      const here = [...editor.selection.get()].filter(
        (id) => spell.nodes[id] ?? spell.edges[id] ?? spell.groups[id] ?? spell.notes[id],
      );
      editor.select(here);
    };
    let known = new Set(shared.refused.get().map(({ id }) => id));
    const tell = () => {
      const copies = shared.refused.get();
      const fresh = copies.filter(({ id }) => !known.has(id)).at(-1);
      known = new Set(copies.map(({ id }) => id));
      if (!fresh) return;
      editor.toasts.show({
        tone: "error",
        title: `The server refused an edit: ${fresh.error.message}`,
        code: fresh.error.code,
        next:
          shared.role.get() === null
            ? "Your unsent work is kept as a copy in this browser."
            : "It is undone here and kept as a copy; all else is saved.",
        action: { label: "Show the copy", run: () => editor.copies.set(true) },
      });
    };
    const ends = [shared.spell.subscribe(prune), shared.refused.subscribe(tell)];
    return () => {
      for (const end of ends) end();
    };
  }, [editor]);
}
