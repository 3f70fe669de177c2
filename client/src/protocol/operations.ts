/**
 * What may be asked and what is announced, by event: the generated types, refined.
 *
 * The server's models say "any JSON" where the client knows more (a value on a port, a spell's problems). Those
 * answers are written by hand in `types.ts`; the checks at the end fail to compile when such a type names a
 * field that the server does not have, or lacks one that it has.
 */
import type * as generated from "./generated";
import type {
  CanvasOpened,
  Diagnosis,
  NodeType,
  Ports,
  Problem,
  Resumed,
  RunEvent,
  RunEvents,
  RunStatus,
  RunView,
  ValuePage,
} from "./types";

/** Names of what a client may ask. */
export type Operation = keyof generated.Operations;

/** What to send with an operation. */
export type Asked<E extends Operation> = generated.Operations[E]["request"];

/** What an operation answers. */
export type Answer<E extends Operation> = E extends keyof RefinedAnswers
  ? RefinedAnswers[E]
  : generated.Operations[E]["response"];

/** Names of what the server says by itself. */
export type Announcement = keyof generated.Announcements;

/** What comes with an announcement. */
export type Announced<E extends Announcement> = E extends keyof RefinedAnnouncements
  ? RefinedAnnouncements[E]
  : generated.Announcements[E];

interface RefinedAnswers {
  "canvas.open": CanvasOpened;
  "cache.value": ValuePage;
  "runs.output": ValuePage;
  "events.resume": Resumed;
  "events.find": Resumed;
  "runs.events": Resumed;
  "runs.create": RunView;
  "runs.get": RunView;
  "runs.cancel": RunView;
  "runs.resume": RunView;
  "runs.fork": RunView;
  "runs.find": { items: RunView[]; next?: string | null };
  "nodes.find": { items: NodeType[] };
  "nodes.ports": Ports;
  "nodes.validate": { problems: Problem[] };
}

interface RefinedAnnouncements {
  "run.events": RunEvents;
  "run.status": { run: string; stream: string; status: RunStatus };
  "canvas.problems": Diagnosis & { canvas: string };
}

type Same<Mine, Theirs> = [Exclude<keyof Mine, keyof Theirs>, Exclude<keyof Theirs, keyof Mine>] extends [
  never,
  never,
]
  ? true
  : { onlyMine: Exclude<keyof Mine, keyof Theirs>; onlyTheirs: Exclude<keyof Theirs, keyof Mine> };

/** Compiles only while the refined types name the fields that the server's models have. */
export type Agreement = [
  Check<Same<CanvasOpened, generated.CanvasOpened>>,
  Check<Same<ValuePage, generated.ValuePage>>,
  Check<Same<Resumed, generated.StreamPage>>,
  Check<Same<RunEvent, generated.EventView>>,
  Check<Same<RunView, generated.RunView>>,
];
type Check<T extends true> = T;
