/** What each kind of schedule is told. */
import { useEffect, useState } from "react";
import { type Faults, type TriggerDraft, UNITS } from "../../../triggers";
import { useConnection } from "../../hooks/useConnection";
import { FormRow } from "./FormRow";

interface KindFieldsProps {
  readonly draft: TriggerDraft;
  readonly faults: Faults;
  readonly onChange: (change: Partial<TriggerDraft>) => void;
}

export function KindFields(props: KindFieldsProps) {
  switch (props.draft.kind) {
    case "cron":
      return <CronFields {...props} />;
    case "interval":
      return <EveryField {...props} />;
    case "webhook":
      return <HookFields {...props} />;
    case "poll":
      return <PollFields {...props} />;
    case "event":
      return <EventFields {...props} />;
  }
}

const USUAL: readonly (readonly [title: string, expression: string])[] = [
  ["Weekdays at 9", "0 9 * * MON-FRI"],
  ["Every day at midnight", "0 0 * * *"],
  ["Every hour", "0 * * * *"],
  ["Every 15 minutes", "*/15 * * * *"],
  ["Mondays at 7", "0 7 * * MON"],
  ["First of the month", "0 6 1 * *"],
];

function CronFields({ draft, faults, onChange }: KindFieldsProps) {
  return (
    <>
      <div className="trigger-pair">
        <FormRow label="Expression" note="minute hour day month weekday" fault={faults.expression}>
          {(aria) => (
            <input
              className="field mono"
              autoComplete="off"
              spellCheck={false}
              data-testid="trigger-expression"
              {...aria}
              value={draft.expression}
              onChange={(event) => onChange({ expression: event.target.value })}
            />
          )}
        </FormRow>
        <FormRow label="Time zone" fault={faults.zone}>
          {(aria) => (
            <>
              <input
                className="field"
                list="time-zones"
                autoComplete="off"
                spellCheck={false}
                data-testid="trigger-zone"
                {...aria}
                value={draft.zone}
                onChange={(event) => onChange({ zone: event.target.value })}
              />
              <datalist id="time-zones">
                {["UTC", ...Intl.supportedValuesOf("timeZone")].map((zone) => (
                  <option key={zone} value={zone} />
                ))}
              </datalist>
            </>
          )}
        </FormRow>
      </div>
      <div className="trigger-usual">
        {USUAL.map(([title, expression]) => (
          <button
            key={expression}
            type="button"
            className="button small"
            aria-pressed={draft.expression === expression}
            onClick={() => onChange({ expression })}
          >
            {title}
          </button>
        ))}
      </div>
    </>
  );
}

function EveryField({ draft, faults, onChange }: KindFieldsProps) {
  return (
    <FormRow label="Every" fault={faults.every}>
      {(aria) => (
        <div className="trigger-every">
          <input
            className="field"
            inputMode="decimal"
            autoComplete="off"
            data-testid="trigger-every"
            {...aria}
            value={draft.count}
            onChange={(event) => onChange({ count: event.target.value })}
          />
          <select
            className="field"
            aria-label="Unit"
            value={draft.unit}
            onChange={(event) => onChange({ unit: event.target.value })}
          >
            {UNITS.map(([unit]) => (
              <option key={unit} value={unit}>
                {unit}s
              </option>
            ))}
          </select>
        </div>
      )}
    </FormRow>
  );
}

function HookFields({ draft, faults, onChange }: KindFieldsProps) {
  return (
    <>
      <FormRow
        label="The sender proves itself by"
        note={
          draft.proof === "signature"
            ? "Standard Webhooks: nobody can alter a message or send it again."
            : "For senders that cannot sign. Whoever sees the token can send anything."
        }
        fault={faults.proof}
      >
        {(aria) => (
          <select
            className="field"
            data-testid="trigger-proof"
            {...aria}
            value={draft.proof}
            onChange={(event) => onChange({ proof: event.target.value as TriggerDraft["proof"] })}
          >
            <option value="signature">A signature</option>
            <option value="bearer">A bearer token</option>
          </select>
        )}
      </FormRow>
      <FormRow
        label="Headers to take values from"
        note="Names with commas between; none is needed"
        fault={faults.headers}
      >
        {(aria) => (
          <input
            className="field mono"
            autoComplete="off"
            spellCheck={false}
            {...aria}
            value={draft.headers}
            onChange={(event) => onChange({ headers: event.target.value })}
          />
        )}
      </FormRow>
    </>
  );
}

function PollFields(props: KindFieldsProps) {
  const { draft, faults, onChange } = props;
  return (
    <>
      <FormRow
        label="Address"
        note="Of a host that this canvas was granted (Worker, Access)"
        fault={faults.url}
      >
        {(aria) => (
          <input
            className="field mono"
            inputMode="url"
            autoComplete="off"
            spellCheck={false}
            placeholder="https://api.example.org/orders"
            data-testid="trigger-url"
            {...aria}
            value={draft.url}
            onChange={(event) => onChange({ url: event.target.value })}
          />
        )}
      </FormRow>
      <div className="trigger-pair">
        <EveryField {...props} />
        <FormRow label="Part that counts" note="A JSON Pointer; empty is all" fault={faults.pointer}>
          {(aria) => (
            <input
              className="field mono"
              autoComplete="off"
              spellCheck={false}
              placeholder="/items/0/id"
              {...aria}
              value={draft.pointer}
              onChange={(event) => onChange({ pointer: event.target.value })}
            />
          )}
        </FormRow>
      </div>
      <FormRow
        label="Headers to send"
        note="One on each line; {{secret.NAME}} stands for a granted secret"
        fault={faults.headers}
      >
        {(aria) => (
          <textarea
            className="field mono"
            rows={2}
            spellCheck={false}
            placeholder="Authorization: Bearer {{secret.TOKEN}}"
            {...aria}
            value={draft.sent}
            onChange={(event) => onChange({ sent: event.target.value })}
          />
        )}
      </FormRow>
    </>
  );
}

interface Known {
  readonly id: string;
  readonly name: string;
}

function EventFields({ draft, faults, onChange }: KindFieldsProps) {
  const connection = useConnection();
  const [canvases, setCanvases] = useState<readonly Known[]>([]);
  useEffect(() => {
    let here = true;
    connection.request("canvases.find", {}).then(
      ({ items }) => here && setCanvases(items),
      () => {}, // the list stays empty, and the form says what is missing
    );
    return () => {
      here = false;
    };
  }, [connection]);
  const turn = (how: "completed" | "failed", wanted: boolean) =>
    onChange({ on: wanted ? [...draft.on, how] : draft.on.filter((each) => each !== how) });
  return (
    <>
      <FormRow label="Canvas" fault={faults.canvas}>
        {(aria) => (
          <select
            className="field"
            data-testid="trigger-canvas"
            {...aria}
            value={draft.canvas}
            onChange={(event) => onChange({ canvas: event.target.value })}
          >
            <option value="">Choose one</option>
            {canvases.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        )}
      </FormRow>
      <fieldset className="trigger-checks">
        <legend>When a run there</legend>
        {(["completed", "failed"] as const).map((how) => (
          <label key={how}>
            <input
              type="checkbox"
              checked={draft.on.includes(how)}
              onChange={(event) => turn(how, event.target.checked)}
            />{" "}
            {how === "completed" ? "completes without a failure" : "or a node of it fails"}
          </label>
        ))}
        {faults.on && (
          <p className="field-error" role="alert">
            {faults.on}
          </p>
        )}
      </fieldset>
    </>
  );
}
