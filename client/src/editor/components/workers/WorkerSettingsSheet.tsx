/** What is set of a worker: its name, what it may use, and, of a shared one, its packages and who may choose it. */
import { useId, useRef, useState } from "react";
import { useStore } from "../../../store";
import {
  type Bound,
  type DraftFaults,
  draftOf,
  LIMITS,
  rangeWords,
  type Worker,
  type WorkerBounds,
  type WorkerDraft,
  type WorkerSettings,
  whyNotDraft,
} from "../../../workers";
import { Sheet } from "../Sheet";
import { DeleteWorker } from "./DeleteWorker";

interface WorkerSettingsSheetProps {
  readonly settings: WorkerSettings;
  /** Null: a new shared one. */
  readonly worker: Worker | null;
  readonly onClose: () => void;
}

export function WorkerSettingsSheet({ settings, worker, onClose }: WorkerSettingsSheetProps) {
  const bounds = useStore(settings.bounds);
  const title = worker
    ? worker.kind === "canvas"
      ? "Worker of this canvas"
      : `Shared worker “${worker.name}”`
    : "New shared worker";
  return (
    <Sheet title={title} onClose={onClose} testid="worker-settings">
      <p className="faint">
        {worker?.kind === "canvas"
          ? "What the code of this canvas may use."
          : "A place where the code of several canvases runs. They share its packages and its memory: code of one can see what another left there."}
      </p>
      {bounds ? (
        <SettingsForm settings={settings} worker={worker} bounds={bounds} onClose={onClose} />
      ) : (
        <p className="faint" role="status">
          Looking up what may be set…
        </p>
      )}
    </Sheet>
  );
}

interface SettingsFormProps extends WorkerSettingsSheetProps {
  readonly bounds: WorkerBounds;
}

function SettingsForm({ settings, worker, bounds, onClose }: SettingsFormProps) {
  const [draft, setDraft] = useState(() => draftOf(worker));
  const [here, setHere] = useState(false);
  const [refused, setRefused] = useState<DraftFaults>({});
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const own = whyNotDraft(draft, bounds);
  // A name that is still to be typed is no fault before somebody wanted to be done.
  const faults = { ...refused, ...(tried ? own : withoutMissing(own, draft)) };
  const set = (change: Partial<WorkerDraft>) => {
    setDraft({ ...draft, ...change });
    setRefused({});
  };
  const done = (result: DraftFaults | null) => {
    setBusy(false);
    if (result === null) onClose();
    else setRefused(result);
  };
  const save = () => {
    setTried(true);
    if (Object.keys(own).length > 0) {
      requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
      return;
    }
    setBusy(true);
    void (worker ? settings.change(worker, draft) : settings.create(draft, here)).then(done);
  };
  const shared = worker?.kind !== "canvas";
  return (
    <form
      className="worker-form"
      ref={form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <div className="worker-first">
        <Row label="Name" fault={faults.name}>
          {(aria) => (
            <input
              className="field"
              maxLength={200}
              autoComplete="off"
              data-first-field
              data-testid="worker-name-field"
              {...aria}
              value={draft.name}
              onChange={(event) => set({ name: event.target.value })}
            />
          )}
        </Row>
        <NumberRow
          label="Calls at once"
          unit=""
          bound={bounds.processes}
          note={`${rangeWords(bounds.processes, "")}, each in its process`}
          text={draft.processes}
          fault={faults.processes}
          onChange={(processes) => set({ processes })}
        />
      </div>
      <fieldset className="worker-limits">
        <legend>Limits of each process</legend>
        {LIMITS.map(({ name, label, unit }) => {
          const bound = bounds.limits[name];
          return (
            bound && (
              <NumberRow
                key={name}
                label={label}
                unit={unit}
                bound={bound}
                note={rangeWords(bound, unit)}
                text={draft.limits[name]}
                fault={faults[`limits.${name}`]}
                onChange={(text) => set({ limits: { ...draft.limits, [name]: text } })}
              />
            )
          );
        })}
        <p className="faint">
          Where a field is empty, the limit of the server holds, which is shown in it. New limits hold for
          processes that start from now on.
        </p>
      </fieldset>
      {shared && (
        <>
          <Row
            label="Packages"
            note="One on each line, as in a requirements.txt."
            fault={faults.requirements}
          >
            {(aria) => (
              <textarea
                className="field mono"
                rows={3}
                spellCheck={false}
                placeholder={"pandas>=2,<4\nrich"}
                data-testid="worker-requirements"
                {...aria}
                value={draft.requirements}
                onChange={(event) => set({ requirements: event.target.value })}
              />
            )}
          </Row>
          <Toggle checked={draft.open} onChange={(open) => set({ open })} testid="worker-open">
            {draft.open ? "Whoever edits a canvas may put it here" : "Only administrators put canvases here"}
          </Toggle>
        </>
      )}
      {!worker && (
        <Toggle checked={here} onChange={setHere} testid="worker-here">
          {here ? "This canvas is put on it at once" : "This canvas stays on the worker it has"}
        </Toggle>
      )}
      {faults[""] && (
        <div className="notice error" role="alert" data-testid="worker-settings-failure">
          {faults[""]}
        </div>
      )}
      <div className="sheet-foot">
        {worker?.kind === "shared" && (
          <DeleteWorker
            worker={worker}
            disabled={busy}
            onDelete={() => {
              setBusy(true);
              void settings.remove(worker).then(done);
            }}
          />
        )}
        <span className="grow" />
        <button type="button" className="button" onClick={onClose}>
          Cancel
        </button>
        <button type="submit" className="button primary" disabled={busy} data-testid="worker-save">
          {worker ? "Save" : "Make it"}
        </button>
      </div>
    </form>
  );
}

function withoutMissing(faults: DraftFaults, draft: WorkerDraft): DraftFaults {
  const { name: _, ...others } = faults;
  return draft.name === "" ? others : faults;
}

interface RowProps {
  readonly label: string;
  readonly note?: string;
  readonly fault: string | undefined;
  readonly children: (aria: FieldAria) => React.ReactNode;
}

/** What ties a field to its label, and to the words about it. */
interface FieldAria {
  readonly id: string;
  readonly "aria-invalid": boolean;
  readonly "aria-describedby": string;
}

function Row({ label, note, fault, children }: RowProps) {
  const id = useId();
  const about = useId();
  return (
    <div className="worker-row">
      <label htmlFor={id}>{label}</label>
      {children({ id, "aria-invalid": fault !== undefined, "aria-describedby": about })}
      <p id={about} className={fault ? "field-error" : "faint"} role={fault ? "alert" : undefined}>
        {fault ?? note}
      </p>
    </div>
  );
}

interface NumberRowProps {
  readonly label: string;
  readonly unit: string;
  readonly bound: Bound;
  readonly note: string;
  readonly text: string;
  readonly fault: string | undefined;
  readonly onChange: (text: string) => void;
}

function NumberRow({ label, unit, bound, note, text, fault, onChange }: NumberRowProps) {
  return (
    <Row label={unit === "" ? label : `${label} (${unit})`} note={note} fault={fault}>
      {(aria) => (
        <input
          className="field"
          inputMode={bound.whole ? "numeric" : "decimal"}
          autoComplete="off"
          placeholder={bound.usual === null ? "no limit" : String(bound.usual)}
          {...aria}
          value={text}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Row>
  );
}

interface ToggleProps {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly testid: string;
  readonly children: React.ReactNode;
}

function Toggle({ checked, onChange, testid, children }: ToggleProps) {
  return (
    <label className="switch">
      <input
        type="checkbox"
        checked={checked}
        data-testid={testid}
        onChange={(event) => onChange(event.target.checked)}
      />
      <span className="track" aria-hidden="true" />
      <span>{children}</span>
    </label>
  );
}
