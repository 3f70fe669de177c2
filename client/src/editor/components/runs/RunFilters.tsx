/** Which runs are listed: words, state, who, queue. */
import { Search, X } from "lucide-react";
import { useEffect, useState } from "react";
import type { RunStatus } from "../../../protocol";
import { isFiltered, type RunFilter, STATUS_WORDS } from "../../../runs";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { useRunDesk } from "../../hooks/useRunDesk";

/** Milliseconds of rest after a key until it is searched. */
const REST_MS = 250;

type State = readonly [name: string, title: string, filter: Pick<RunFilter, "status" | "failed">];

/** The states that people ask for, each with what it stands for. A run in which a node failed has failed to them. */
const STATES: readonly State[] = [
  ["any", "Any state", {}],
  ["open", "Not ended", { status: ["queued", "running", "paused", "waiting"] }],
  ...(["queued", "running", "waiting"] as const).map(ofStatus),
  ["completed", capital(STATUS_WORDS.completed), { status: ["completed"], failed: false }],
  ["failed", capital(STATUS_WORDS.failed), { failed: true }],
  ...(["cancelled", "interrupted"] as const).map(ofStatus),
];

function ofStatus(status: RunStatus): State {
  return [status, capital(STATUS_WORDS[status]), { status: [status] }];
}

export function RunFilters() {
  const editor = useEditor();
  const { list } = useRunDesk();
  const filter = useStore(list.filter);
  const people = useStore(list.people);
  const [words, setWords] = useState(filter.search ?? "");
  useEffect(() => {
    if (words === (list.filter.get().search ?? "")) return;
    const timer = setTimeout(() => list.setFilter({ search: words }), REST_MS);
    return () => clearTimeout(timer);
  }, [words, list]);
  const state = STATES.find(
    ([, , { status = [], failed }]) =>
      String(status) === String(filter.status ?? []) && failed === filter.failed,
  );
  return (
    <div className="run-filters">
      <div className="side-search">
        <Search size={13} aria-hidden="true" />
        <input
          type="search"
          placeholder="Failed node, error, person, id"
          aria-label="Search runs"
          data-testid="runs-search"
          value={words}
          maxLength={200}
          onChange={(event) => setWords(event.target.value)}
        />
      </div>
      <div className="run-filter-row">
        <select
          className="field"
          aria-label="State of the runs"
          data-testid="runs-state"
          value={state?.[0] ?? "any"}
          onChange={(event) =>
            list.setFilter({
              status: [],
              failed: undefined,
              ...STATES.find(([name]) => name === event.target.value)?.[2],
            })
          }
        >
          {STATES.map(([name, title]) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
        <select
          className="field"
          aria-label="Whose runs"
          data-testid="runs-who"
          value={filter.user ?? ""}
          onChange={(event) => list.setFilter({ user: event.target.value })}
        >
          <option value="">Everybody</option>
          <option value={editor.user.id}>Mine</option>
          {[...people]
            .filter(([id]) => id !== editor.user.id)
            .map(([id, name]) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
        </select>
        {isFiltered(filter) && (
          <button
            type="button"
            className="icon-button small"
            aria-label="Show all runs"
            title="Show all runs"
            data-testid="runs-clear"
            onClick={() => {
              setWords("");
              list.clear();
            }}
          >
            <X size={13} />
          </button>
        )}
      </div>
      {(filter.queue || filter.trigger) && (
        <p className="run-filter-note">
          {filter.queue ? `Only of queue “${filter.queue}”` : "Only by one schedule"}
        </p>
      )}
    </div>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
