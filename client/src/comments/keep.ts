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
  const key = `spellwork.comments.${user}.${canvas}`;
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
