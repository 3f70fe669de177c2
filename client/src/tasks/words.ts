/** How tasks are spoken of. */
import type { Asked, Task } from "./types";

type Role = NonNullable<Task["role"]>;

const RANK: Readonly<Record<Role, number>> = { viewer: 0, runner: 1, editor: 2, owner: 3 };

export const ROLES: Readonly<Record<Role, string>> = {
  viewer: "anybody here",
  runner: "anybody who may run",
  editor: "an editor",
  owner: "an owner",
};

/** Whom a task waits for. */
export function whom(task: Task, me: string): string {
  if (task.role !== null) return ROLES[task.role];
  if (task.assignee === null) return "somebody";
  return task.assignee.id === me ? "you" : task.assignee.name;
}

/** Who was chosen to be asked: `role:ROLE`, or somebody by id or address. */
export function asksOf(chosen: string): Asked {
  const role = chosen.startsWith("role:") ? chosen.slice("role:".length) : null;
  return role === null ? { user: chosen.trim() } : { role: role as Role };
}

/** Whether somebody with this role on the canvas may answer; the server decides in the end. */
export function mayAnswer(task: Task, me: string, role: Role | null): boolean {
  if (task.state !== "open") return false;
  if (task.may_answer !== null) return task.may_answer;
  if (role === null) return false;
  if (task.role !== null) return RANK[role] >= RANK[task.role];
  return task.assignee?.id === me || role === "owner";
}

/** What became of a task, in a few words. */
export function outcomeOf(task: Task): string {
  if (task.state === "expired") return "Nobody answered in time";
  if (task.state === "withdrawn") return "Withdrawn: its run ended";
  if (task.state === "open") return "Open";
  const by = task.answered_by?.name ?? "Somebody";
  const answer = task.answer ?? {};
  if (task.question.kind === "approval") return `${answer.approved ? "Approved" : "Rejected"} by ${by}`;
  if (task.question.kind === "choice") {
    const choice = Array.isArray(answer.choice)
      ? answer.choice.join(", ") || "nothing"
      : String(answer.choice);
    return `${by} chose ${choice}`;
  }
  return `Filled in by ${by}`;
}
