/** The form of a schedule: when it fires, what it brings to the spell, and what becomes of missed times. */
import { useRef, useState } from "react";
import {
  type Faults,
  fieldsOf,
  KINDS,
  type Trigger,
  type TriggerDraft,
  type TriggerKind,
  triggerDraft,
  whyNotTrigger,
} from "../../../triggers";
import { useTriggerDesk } from "../../hooks/useTriggerDesk";
import { Sheet } from "../Sheet";
import { FormRow } from "./FormRow";
import { InputMapping } from "./InputMapping";
import { KindFields } from "./KindFields";
import { NextTimes } from "./NextTimes";

interface TriggerSheetProps {
  /** Null: a new one. */
  readonly trigger: Trigger | null;
  readonly onClose: () => void;
}

export function TriggerSheet({ trigger, onClose }: TriggerSheetProps) {
  const desk = useTriggerDesk();
  const [draft, setDraft] = useState(() => triggerDraft(trigger, localZone()));
  const [refused, setRefused] = useState<Faults>({});
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const own = whyNotTrigger(draft);
  const faults: Faults = { ...refused, ...(tried ? own : {}) };
  const set = (change: Partial<TriggerDraft>) => {
    setDraft((before) => ({ ...before, ...change }));
    setRefused({});
  };
  const toFault = () =>
    requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("[aria-invalid=true]")?.focus());
  const save = async () => {
    setTried(true);
    if (Object.keys(own).length > 0) return void toFault();
    setBusy(true);
    const fields = fieldsOf(draft, trigger);
    const result = await (trigger ? desk.change(trigger.id, fields) : desk.create(fields));
    setBusy(false);
    if (result === null) onClose();
    else {
      setRefused(result);
      toFault();
    }
  };
  return (
    <Sheet title={trigger ? "Change a schedule" : "New schedule"} onClose={onClose} testid="trigger-sheet">
      <form
        className="trigger-form"
        ref={form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <p className="faint">Its runs are yours: they may what you may.</p>
        <FormRow label="Name" fault={faults.name}>
          {(aria) => (
            <input
              className="field"
              maxLength={200}
              autoComplete="off"
              data-first-field
              data-testid="trigger-name"
              {...aria}
              value={draft.name}
              onChange={(event) => set({ name: event.target.value })}
            />
          )}
        </FormRow>
        <FormRow label="When" note={KINDS[draft.kind][1]} fault={undefined}>
          {(aria) => (
            <select
              className="field"
              data-testid="trigger-kind"
              disabled={trigger !== null}
              {...aria}
              value={draft.kind}
              onChange={(event) => set({ kind: event.target.value as TriggerKind })}
            >
              {Object.entries(KINDS).map(([kind, [title]]) => (
                <option key={kind} value={kind}>
                  {title}
                </option>
              ))}
            </select>
          )}
        </FormRow>
        <KindFields draft={draft} faults={faults} onChange={set} />
        <NextTimes draft={draft} />
        <InputMapping draft={draft} faults={faults} onChange={set} />
        <Policies draft={draft} faults={faults} onChange={set} />
        {faults[""] && (
          <div className="notice error" role="alert" data-testid="trigger-refused">
            {faults[""]}
          </div>
        )}
        <div className="sheet-foot">
          <span className="grow" />
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button primary" disabled={busy} data-testid="trigger-save">
            {trigger ? "Save" : "Make it"}
          </button>
        </div>
      </form>
    </Sheet>
  );
}

interface PoliciesProps {
  readonly draft: TriggerDraft;
  readonly faults: Faults;
  readonly onChange: (change: Partial<TriggerDraft>) => void;
}

function Policies({ draft, faults, onChange }: PoliciesProps) {
  const timed = draft.kind === "cron" || draft.kind === "interval";
  return (
    <div className="trigger-pair">
      {timed && (
        <FormRow label="Times that were missed" fault={undefined}>
          {(aria) => (
            <select
              className="field"
              data-testid="trigger-missed"
              {...aria}
              value={draft.missed}
              onChange={(event) => onChange({ missed: event.target.value as TriggerDraft["missed"] })}
            >
              <option value="once">Run once for all of them</option>
              <option value="all">Run for each, up to 100</option>
              <option value="skip">Leave them out</option>
            </select>
          )}
        </FormRow>
      )}
      <FormRow label="While its last run goes on" fault={undefined}>
        {(aria) => (
          <select
            className="field"
            {...aria}
            value={draft.overlap}
            onChange={(event) => onChange({ overlap: event.target.value as TriggerDraft["overlap"] })}
          >
            <option value="allow">Run beside it</option>
            <option value="skip">Leave this time out</option>
          </select>
        )}
      </FormRow>
      <FormRow label="Queue" note="Empty: its runs begin at once" fault={faults.queue}>
        {(aria) => (
          <input
            className="field"
            autoComplete="off"
            spellCheck={false}
            maxLength={64}
            data-testid="trigger-queue"
            {...aria}
            value={draft.queue}
            onChange={(event) => onChange({ queue: event.target.value })}
          />
        )}
      </FormRow>
    </div>
  );
}

function localZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}
