/** What runs ask the person at this page, and others on the canvas that is open. */
import type { Answer } from "../protocol";
import type { Connection } from "../session";
import { Store } from "../store";
import { EMPTY } from "./answer";
import type { Asked, Draft, Person, Task, TasksEvent } from "./types";

/** How the desk reaches the server; implemented by `Api`. */
export interface TaskApi {
  get<T>(path: string, options?: { query?: Record<string, string | number | boolean | null> }): Promise<T>;
  post<T>(path: string, body?: object): Promise<T>;
  delete<T>(path: string): Promise<T>;
}

export type Tray = "open" | "settled";

type Page = Answer<"tasks.find">;

const LIST = 30;
const CANVAS = 100;

/**
 * Tasks by id, and which of them the trays show.
 *
 * A task is kept as the server last told it. What many are told of one does not say whether the caller may
 * answer; then what was known of that stays.
 */
export class TaskDesk {
  /** How many open tasks are asked of the person. */
  readonly open = new Store(0);
  readonly tasks = new Store<ReadonlyMap<string, Task>>(new Map());
  /** The ids in each tray, the latest first. */
  readonly trays: Readonly<Record<Tray, Store<readonly string[]>>> = {
    open: new Store<readonly string[]>([]),
    settled: new Store<readonly string[]>([]),
  };
  /** From where a tray goes on; null at its end, undefined before it was asked for. */
  readonly next: Readonly<Record<Tray, Store<string | null | undefined>>> = {
    open: new Store<string | null | undefined>(undefined),
    settled: new Store<string | null | undefined>(undefined),
  };
  /** The tasks that one was reminded of while this page was open, and has not looked at since; the latest last. */
  readonly reminders = new Store<readonly Task[]>([]);
  /** What is typed and not sent, by task. */
  readonly drafts = new Store<Readonly<Record<string, Draft>>>({});
  /** When one was last reminded, by task, of those that are asked of oneself. */
  readonly #reminded = new Map<string, number | null>();
  readonly #api: TaskApi;
  #asking = 0;

  constructor(api: TaskApi) {
    this.#api = api;
  }

  /** Ask anew for a tray, and how many are open. */
  async refresh(tray: Tray = "open"): Promise<void> {
    await this.#read(tray, null);
  }

  /** Ask for what follows in a tray. */
  async more(tray: Tray): Promise<void> {
    const after = this.next[tray].get();
    if (after) await this.#read(tray, after);
  }

  async #read(tray: Tray, after: string | null): Promise<void> {
    const asking = ++this.#asking;
    const query = { state: tray, limit: LIST, mine: tray === "open", after };
    const page = await this.#api.get<Page>("/v1/tasks", { query });
    if (asking !== this.#asking) return;
    for (const each of page.items) this.#noticeReminder(each, this.#reminded.get(each.id));
    this.#keep(page.items);
    const ids = page.items.map((task) => task.id);
    const before = after === null ? [] : this.trays[tray].get();
    this.trays[tray].set([...before, ...ids.filter((id) => !before.includes(id))]);
    this.next[tray].set(page.next);
    this.open.set(page.open);
  }

  /** Answer; the first answer counts, and the task is then known as it is, whoever's that was. */
  async answer(task: string, answer: object): Promise<void> {
    try {
      this.#keep([await this.#api.post<Task>(`/v1/tasks/${task}/answer`, { answer })]);
      this.#forgetDraft(task);
      // Where there is no socket nobody tells how many are left.
      await this.refresh().catch(() => {});
    } catch (error) {
      if ((error as { code?: unknown }).code === "task_settled") await this.look(task).catch(() => {});
      throw error;
    }
  }

  /** Ask what became of one task. */
  async look(task: string): Promise<void> {
    this.#keep([await this.#api.get<Task>(`/v1/tasks/${task}`)]);
  }

  /** Make a link by which somebody without an account can answer; it is told this once. */
  async link(task: string): Promise<Answer<"tasks.link">> {
    const made = await this.#api.post<Answer<"tasks.link">>(`/v1/tasks/${task}/link`);
    // Somebody else may have made a newer one meanwhile.
    await this.look(task).catch(() => this.#change(task, { linked: true, link_id: made.id }));
    return made;
  }

  /** Let the task's link be used no more. */
  async unlink(task: string): Promise<void> {
    await this.#api.delete(`/v1/tasks/${task}/link`);
    this.#change(task, { linked: false, link_id: null });
  }

  /** Ask somebody else, or a role, in the place of who is asked; its link ends by that. */
  async assign(task: string, asked: Asked): Promise<void> {
    this.#keep([await this.#api.post<Task>(`/v1/tasks/${task}/assign`, asked)]);
    this.putAway(task);
    if (this.next.open.get() !== undefined) await this.refresh();
  }

  /** Who may be asked on a canvas. */
  async people(canvas: string): Promise<readonly Person[]> {
    return (await this.#api.get<Answer<"canvases.members">>(`/v1/canvases/${canvas}/members`)).items;
  }

  /** Take a reminder as seen. */
  putAway(task: string): void {
    this.reminders.update((all) => all.filter(({ id }) => id !== task));
  }

  /** Put what is typed. */
  write(task: string, change: Partial<Draft>): void {
    this.drafts.update((all) => ({ ...all, [task]: { ...EMPTY, ...all[task], ...change } }));
  }

  /** Hear of tasks over a socket, and read those of its canvas; returns the function that ends it. */
  follow(session: Connection, canvas: string): () => void {
    const ends = [
      session.onOnline(() => {
        void this.refresh().catch(() => {});
        void this.#readCanvas(canvas).catch(() => {});
      }),
      session.on("tasks.changed", (event) => this.#changed(event)),
      session.on("canvas.role", () => void this.refresh().catch(() => {})),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  async #readCanvas(canvas: string): Promise<void> {
    const page = await this.#api.get<Page>("/v1/tasks", { query: { canvas, limit: CANVAS } });
    const open = new Set(page.items.map((task) => task.id));
    // What was open here and is so no more ended while nothing was heard.
    const ended = [...this.tasks.get().values()].filter(
      (task) => task.canvas === canvas && task.state === "open" && !open.has(task.id),
    );
    this.#keep(page.items);
    await Promise.all(ended.map((task) => this.look(task.id).catch(() => this.#drop(task.id))));
  }

  #changed({ id, task, news, open, mine }: TasksEvent): void {
    if (task === null) {
      this.#lost(id, open);
      return;
    }
    if (mine) this.#noticeReminder(task, this.#reminded.get(task.id) ?? null);
    this.#keep([task]);
    const tray = this.trays.open;
    // Whether it is asked of an owner still is not told with it: they may answer all the same.
    if (news === "assigned" && tray.get().includes(id)) void this.refresh().catch(() => {});
    if (open === null) return;
    if (task.may_answer === false) this.putAway(id);
    this.open.set(open);
    // What others are asked is not in it, though one may answer that, too: the list has what the number counts.
    if (!mine) tray.update((ids) => ids.filter((id) => id !== task.id));
    else if (!tray.get().includes(task.id)) tray.update((ids) => [task.id, ...ids]);
    if (task.state !== "open" && this.next.settled.get() !== undefined) {
      this.trays.settled.update((ids) => [task.id, ...ids.filter((id) => id !== task.id)]);
    }
  }

  /** It was handed on, and one may not see it any more. */
  #lost(task: string, open: number | null): void {
    if (open !== null) this.open.set(open);
    this.trays.open.update((ids) => ids.filter((id) => id !== task));
    this.putAway(task);
    this.#drop(task);
  }

  /** Notice that one was reminded of something again; `seen` is when one was before, undefined for what is new here. */
  #noticeReminder(task: Task, seen: number | null | undefined): void {
    this.#reminded.set(task.id, task.reminded_at);
    if (seen === undefined || task.reminded_at === null || task.reminded_at === seen) return;
    if (task.may_answer !== true || task.state !== "open") return;
    this.reminders.update((all) => [...all.filter(({ id }) => id !== task.id), task]);
  }

  #change(task: string, change: Partial<Task>): void {
    const known = this.tasks.get().get(task);
    if (known) this.#keep([{ ...known, ...change }]);
  }

  #keep(tasks: readonly Task[]): void {
    for (const { id, state } of tasks) if (state !== "open") this.putAway(id);
    this.tasks.update((all) => {
      const next = new Map(all);
      for (const task of tasks) {
        const known = all.get(task.id);
        next.set(task.id, { ...task, may_answer: task.may_answer ?? sameAsked(known, task) });
      }
      return next;
    });
  }

  #drop(task: string): void {
    this.tasks.update((all) => {
      const next = new Map(all);
      next.delete(task);
      return next;
    });
  }

  #forgetDraft(task: string): void {
    this.drafts.update(({ [task]: _sent, ...others }) => others);
  }

  /** Forget everything; for another person at the page. */
  clear(): void {
    this.#asking += 1;
    this.tasks.set(new Map());
    this.drafts.set({});
    this.reminders.set([]);
    this.#reminded.clear();
    this.open.set(0);
    for (const tray of ["open", "settled"] as const) {
      this.trays[tray].set([]);
      this.next[tray].set(undefined);
    }
  }
}

/** Whether the person may answer, where that was known and the task is asked of the same as then. */
function sameAsked(known: Task | undefined, task: Task): boolean | null {
  if (known === undefined || known.role !== task.role || known.assignee?.id !== task.assignee?.id)
    return null;
  return known.may_answer;
}

/** The open tasks of a node of the canvas, those of what it runs inside itself too; the latest first. */
export function tasksAt(tasks: ReadonlyMap<string, Task>, canvas: string, node: string): Task[] {
  return [...tasks.values()]
    .filter((task) => task.canvas === canvas && task.state === "open" && outermost(task.node) === node)
    .sort((one, other) => other.created_at - one.created_at);
}

function outermost(path: string): string {
  return (path.split("/")[0] ?? "").replace(/\[\d+\]$/, "");
}
