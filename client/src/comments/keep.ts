/** What is written and not yet on the server: kept in the browser, so that no text is lost. */
import type { Person } from "./mention_text";
import type { Waiting } from "./types";

/** A comment that is being written: its text as it is shown, and whom it names. */
export interface Draft {
  readonly text: string;
  readonly people: readonly Person[];
}

/** All that is kept for one person and canvas. */
export interface Kept {
  readonly waiting: readonly Waiting[];
  readonly drafts: Readonly<Record<string, Draft>>;
}

/** Where it is kept. Several tabs share it: a change reads what the others wrote before it writes. */
export interface Keep {
  read(): Kept;
  change(make: (kept: Kept) => Kept): void;
}

const NOTHING: Kept = { waiting: [], drafts: {} };

/** Keep in `localStorage`; a browser that keeps nothing has it until the page ends. */
export function browserKeep(user: string, canvas: string): Keep {
  const key = everyKeyOf(user) + canvas;
  let last = NOTHING;
  const read = (): Kept => {
    try {
      const text = localStorage.getItem(key);
      return text === null ? NOTHING : { ...NOTHING, ...(JSON.parse(text) as Kept) };
    } catch {
      return last;
    }
  };
  return {
    read,
    change: (make) => {
      last = make(read());
      try {
        if (last.waiting.length === 0 && Object.keys(last.drafts).length === 0) localStorage.removeItem(key);
        else localStorage.setItem(key, JSON.stringify(last));
      } catch {
        // It is still in this tab.
      }
    },
  };
}

/** How many comments of a person, over all canvases, are kept in `localStorage` alone. */
export function unsentComments(user: string): number {
  return keysOf(user).reduce((sum, key) => sum + waitingAt(key), 0);
}

/** Delete from `localStorage` what a person wrote and did not send. */
export function forgetComments(user: string): void {
  for (const key of keysOf(user)) localStorage.removeItem(key);
}

function everyKeyOf(user: string): string {
  return `spellwork.comments.${user}.`;
}

function keysOf(user: string): string[] {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(everyKeyOf(user)));
  } catch {
    return []; // A browser that keeps nothing.
  }
}

function waitingAt(key: string): number {
  try {
    return (JSON.parse(localStorage.getItem(key) ?? "null") as Kept | null)?.waiting.length ?? 0;
  } catch {
    return 0;
  }
}

/** Keep in memory alone; for tests. */
export function memoryKeep(): Keep {
  let kept = NOTHING;
  return {
    read: () => kept,
    change: (make) => {
      kept = make(kept);
    },
  };
}
