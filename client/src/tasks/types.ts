/** What tasks are, in the browser. */
import type { Announced, Answer, ErrorBody } from "../protocol";

/** A question of a run, and what became of it. Times are Unix seconds. */
export type Task = Answer<"tasks.get">;

export type Question = Task["question"];

/** What the server says of a change. */
export type TasksEvent = Announced<"tasks.changed">;

/** One field of a form, as its question has it. */
export interface FormField {
  readonly name: string;
  readonly type: "string" | "number" | "integer" | "boolean";
  readonly label: string;
  readonly help: string;
  readonly required: boolean;
  readonly fallback: string | number | boolean | null;
  readonly format: "date" | "multiline" | null;
  readonly options: readonly string[] | null;
  readonly least: number | null;
  readonly most: number | null;
}

/** Somebody on a canvas. */
export type Person = Answer<"canvases.members">["items"][number];

/** Whom to ask: somebody by id or address, or all with at least a role. */
export type Asked = { readonly user: string } | { readonly role: NonNullable<Task["role"]> };

/** What somebody has put into a task so far. `values` by field, as they were typed. */
export interface Draft {
  readonly comment: string;
  readonly values: Readonly<Record<string, string | boolean>>;
  readonly choice: readonly string[];
}

/** What is wrong with an answer: in words, and by field. */
export interface Refusal {
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly code: ErrorBody["code"] | null;
}
