/** Tasks in the browser: what is kept of what the server tells, and what people's words become (SPEC P). */
import { expect, test } from "vitest";
import {
  answerOf,
  asksOf,
  EMPTY,
  fieldsOf,
  mayAnswer,
  outcomeOf,
  type Question,
  type Task,
  TaskDesk,
  tasksAt,
  whom,
} from ".";

const question: Question = {
  kind: "approval",
  title: "May it?",
  text: "",
  fields: null,
  choices: [],
  several: false,
  data: null,
};

function task(change: Partial<Task> = {}): Task {
  return {
    id: "t",
    run: "r",
    node: "a",
    canvas: "c",
    canvas_name: "C",
    private: false,
    question,
    assignee: { id: "ada", name: "Ada" },
    role: null,
    state: "open",
    started_by: { id: "bob", name: "Bob" },
    created_at: 1,
    due_at: null,
    on_timeout: "fail",
    remind_at: null,
    reminded_at: null,
    settled_at: null,
    answered_by: null,
    answer: null,
    linked: false,
    link_id: null,
    may_answer: null,
    ...change,
  };
}

const form: Question = {
  ...question,
  kind: "form",
  fields: {
    type: "object",
    properties: {
      n: { type: "number", title: "How many" },
      day: { type: "string", format: "date" },
      ok: { type: "boolean" },
      size: { type: "string", enum: ["S", "L"], default: "S" },
    },
    required: ["n"],
  },
};

test("a form is read from its schema, and what is left empty is left out of the answer", () => {
  expect(fieldsOf(form).map((field) => [field.name, field.label, field.required])).toEqual([
    ["n", "How many", true],
    ["day", "day", false],
    ["ok", "ok", false],
    ["size", "size", false],
  ]);
  const answer = answerOf(form, { ...EMPTY, values: { n: "2,5", ok: true } }, true);
  expect(answer).toEqual({ values: { n: 2.5, ok: true, size: "S" } });
});

test.each([
  [false, ["B"], "B"],
  [false, [], null],
  [true, ["A", "B"], ["A", "B"]],
  [true, [], []],
])("a choice, of several: %s, is sent as the server takes it", (several, choice, sent) => {
  const asked: Question = { ...question, kind: "choice", choices: ["A", "B"], several };
  expect(answerOf(asked, { ...EMPTY, choice }, true)).toEqual({ choice: sent });
});

test("who may answer follows from who is asked, unless the server said it (P2)", () => {
  expect(mayAnswer(task(), "ada", "viewer")).toBe(true);
  expect(mayAnswer(task(), "eve", "editor")).toBe(false);
  expect(mayAnswer(task(), "eve", "owner")).toBe(true);
  expect(mayAnswer(task({ assignee: null, role: "editor" }), "eve", "runner")).toBe(false);
  expect(mayAnswer(task({ assignee: null, role: "editor" }), "eve", "owner")).toBe(true);
  expect(mayAnswer(task(), "ada", null)).toBe(false);
  expect(mayAnswer(task({ may_answer: true }), "eve", "viewer")).toBe(true);
  expect(mayAnswer(task({ may_answer: true, state: "answered" }), "ada", "owner")).toBe(false);
  expect(whom(task(), "ada")).toBe("you");
  expect(
    outcomeOf(
      task({ state: "answered", answer: { approved: true }, answered_by: { id: null, name: "Carol" } }),
    ),
  ).toBe("Approved by Carol");
});

test("tasks are at the outermost node that asks, the latest first", () => {
  const all = new Map(
    [
      task({ id: "1", node: "map[3]/x" }),
      task({ id: "2", node: "map", created_at: 2 }),
      task({ id: "3" }),
    ].map((each) => [each.id, each]),
  );
  expect(tasksAt(all, "c", "map").map(({ id }) => id)).toEqual(["2", "1"]);
  expect(tasksAt(all, "other", "a")).toEqual([]);
});

/** A desk whose server answers with what lies in `page`, and a socket that tells it things. */
function desk(page: { items: Task[]; open: number; next: string | null }) {
  const told: ((data: unknown) => void)[] = [];
  const asked: [string, object | undefined][] = [];
  const api = {
    get: async (path: string) => (path === "/v1/tasks" ? page : page.items[0]) as never,
    post: async (path: string, body?: object) => {
      asked.push([path, body]);
      if (path.endsWith("/link")) return { id: "l", link: "https://here/#/task/x", token: "x" } as never;
      if (path.endsWith("/assign")) return page.items[0] as never;
      throw Object.assign(new Error("settled"), { code: "task_settled" });
    },
    delete: async (path: string) => {
      asked.push([path, undefined]);
      return {} as never;
    },
  };
  const made = new TaskDesk(api);
  const session = {
    onOnline: () => () => {},
    on: (event: string, listener: (data: unknown) => void) => {
      if (event === "tasks.changed") told.push(listener);
      return () => {};
    },
  };
  made.follow(session as never, "c");
  return { made, asked, tell: (data: unknown) => told[0]?.(data) };
}

test("what many are told does not take away that one may answer; what is settled leaves the tray (P8)", async () => {
  const { made, tell } = desk({ items: [task({ may_answer: true })], open: 1, next: null });
  await made.refresh();
  expect(made.open.get()).toBe(1);
  tell({ id: "t", task: task({ reminded_at: 5 }), news: "reminder", open: null });
  expect(made.tasks.get().get("t")).toMatchObject({ reminded_at: 5, may_answer: true });
  tell({
    id: "t",
    task: task({ state: "answered", may_answer: true }),
    news: "answered",
    open: 0,
    mine: false,
  });
  expect(made.trays.open.get()).toEqual([]);
  expect(made.open.get()).toBe(0);
});

test("what is typed stays when the server refuses it, and what became of the task is asked (P4)", async () => {
  const page = { items: [task({ may_answer: true })], open: 1, next: null };
  const { made } = desk(page);
  made.write("t", { comment: "Hm" });
  await expect(made.answer("t", { approved: true })).rejects.toThrow("settled");
  expect(made.drafts.get().t?.comment).toBe("Hm");
});

test("a reminder is noticed once by whom it is for, and goes when it is put away or answered (P5, P8)", async () => {
  const { made, tell } = desk({ items: [task({ may_answer: true, reminded_at: 3 })], open: 1, next: null });
  await made.refresh();
  expect(made.reminders.get()).toEqual([]);
  tell({ id: "t", task: task({ reminded_at: 5 }), news: "reminder", open: null });
  expect(made.reminders.get()).toEqual([]);
  tell({ id: "t", task: task({ reminded_at: 5, may_answer: true }), news: "reminder", open: 1, mine: true });
  tell({ id: "t", task: task({ reminded_at: 5, may_answer: true }), news: "reminder", open: 1, mine: true });
  expect(made.reminders.get().map(({ id }) => id)).toEqual(["t"]);
  made.putAway("t");
  expect(made.reminders.get()).toEqual([]);
  tell({ id: "t", task: task({ reminded_at: 9, may_answer: true }), news: "reminder", open: 1, mine: true });
  expect(made.reminders.get()).toHaveLength(1);
  tell({
    id: "t",
    task: task({ state: "answered", reminded_at: 9, may_answer: true }),
    news: "answered",
    open: 0,
    mine: false,
  });
  expect(made.reminders.get()).toEqual([]);
});

test("a task that was handed on leaves who may not see it any more, with its badge (P8, P9)", async () => {
  const { made, tell } = desk({ items: [task({ private: true, may_answer: true })], open: 1, next: null });
  await made.refresh();
  tell({ id: "t", task: null, news: "assigned", open: 0 });
  expect([made.open.get(), made.trays.open.get(), made.tasks.get().size]).toEqual([0, [], 0]);
});

test("a task is handed on to a person or a role, and its link is made and taken back (P9, P10)", async () => {
  const page = { items: [task({ may_answer: true })], open: 1, next: null as string | null };
  const { made, asked, tell } = desk(page);
  await made.refresh();
  page.items = [task({ may_answer: true, linked: true, link_id: "newer" })];
  expect((await made.link("t")).link).toContain("#/task/");
  expect(made.tasks.get().get("t")).toMatchObject({ linked: true, link_id: "newer" });
  await made.unlink("t");
  expect(made.tasks.get().get("t")?.linked).toBe(false);
  const handed = task({ assignee: null, role: "editor", may_answer: false });
  page.items = [handed];
  await made.assign("t", asksOf("role:editor"));
  expect(asked.at(-1)).toEqual(["/v1/tasks/t/assign", { role: "editor" }]);
  expect(asksOf(" eve@example.org ")).toEqual({ user: "eve@example.org" });
  page.items = [];
  tell({ id: "t", task: task({ assignee: { id: "eve", name: "Eve" } }), news: "assigned", open: null });
  await Promise.resolve();
  await Promise.resolve();
  expect(made.trays.open.get()).toEqual([]);
});

test("the list has what its number counts: not what others are asked, and one may answer all the same (P8)", async () => {
  const { made, tell } = desk({ items: [], open: 0, next: null });
  await made.refresh();
  tell({ id: "t", task: task({ may_answer: true }), news: "asked", open: 0, mine: false });
  expect([made.open.get(), made.trays.open.get()]).toEqual([0, []]);
  expect(tasksAt(made.tasks.get(), "c", "a")).toHaveLength(1);
  tell({ id: "t", task: task({ may_answer: true }), news: "assigned", open: 1, mine: true });
  expect([made.open.get(), made.trays.open.get()]).toEqual([1, ["t"]]);
  tell({ id: "t", task: task({ may_answer: true }), news: "assigned", open: 0, mine: false });
  expect([made.open.get(), made.trays.open.get()]).toEqual([0, []]);
});
