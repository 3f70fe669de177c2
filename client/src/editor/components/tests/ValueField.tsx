/** The value of an assertion as JSON. What is typed and is no value stays to be corrected; the test keeps the last good one. */
import { useEffect, useId, useState } from "react";
import type { Assertion, Json } from "../../../protocol";
import { readExpected } from "../../../spell_tests";

interface ValueFieldProps {
  readonly name: string;
  readonly op: Assertion["op"];
  readonly value: Json;
  readonly disabled: boolean;
  readonly onChange: (value: Json) => void;
}

export function ValueField({ name, op, value, disabled, onChange }: ValueFieldProps) {
  const [draft, setDraft] = useState(() => written(value));
  const [typing, setTyping] = useState(false);
  const error = useId();
  const read = readExpected(op, draft);
  const why = "why" in read ? read.why : null;
  useEffect(() => {
    if (!typing) setDraft(written(value));
  }, [value, typing]);
  return (
    <>
      <textarea
        className="field mono"
        aria-label={name}
        aria-invalid={why !== null}
        aria-describedby={why === null ? undefined : error}
        spellCheck={false}
        readOnly={disabled}
        data-testid="claim-value"
        rows={Math.min(10, draft.split("\n").length)}
        value={draft}
        onFocus={() => setTyping(!disabled)}
        onBlur={() => setTyping(why !== null)}
        onKeyDown={(event) => {
          if (event.key !== "Escape" || why === null) return;
          event.stopPropagation();
          setDraft(written(value));
        }}
        onChange={(event) => {
          setDraft(event.target.value);
          const next = readExpected(op, event.target.value);
          if ("value" in next) onChange(next.value);
        }}
      />
      {why !== null && (
        <span className="field-error" id={error} role="alert" data-testid="claim-error">
          {why}
        </span>
      )}
    </>
  );
}

function written(value: Json): string {
  const short = JSON.stringify(value) ?? "";
  return short.length <= 40 ? short : JSON.stringify(value, null, 2);
}
