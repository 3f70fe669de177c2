/** The value that an output is pinned to, edited as JSON; kept when one leaves the field, or pauses. */
import { useEffect, useRef, useState } from "react";
import type { Json } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { setPin } from "../store/modes";
import type { JsonSchema } from "../store/schema";
import { JsonField } from "./JsonField";

/** Milliseconds without typing after which what was typed is kept: pins are one value, sent whole. */
const PAUSE = 600;

interface PinFieldProps {
  readonly id: string;
  readonly port: string;
  readonly schema: JsonSchema;
  readonly value: Json | undefined;
}

export function PinField({ id, port, schema, value }: PinFieldProps) {
  const editor = useEditor();
  const editable = useStore(editor.document.editable);
  const [draft, setDraft] = useState<{ value: Json } | null>(null);
  const latest = useRef(draft);
  latest.current = draft;
  const keep = useRef(() => {});
  keep.current = () => {
    const typed = latest.current;
    latest.current = null;
    if (typed) setPin(editor, id, port, typed.value);
    setDraft(null);
  };
  useEffect(() => {
    if (!draft) return;
    const timer = setTimeout(() => keep.current(), PAUSE);
    return () => clearTimeout(timer);
  }, [draft]);
  // Leaving the inspector while typing keeps what was typed.
  useEffect(() => () => keep.current(), []);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: it only hears of the field inside it
    <div className="pin-field" onBlur={() => keep.current()} data-testid={`pin-value-${port}`}>
      <JsonField
        name={`Pinned ${port}`}
        schema={schema}
        value={draft ? draft.value : value}
        disabled={!editable}
        anything
        onChange={(next) => setDraft({ value: next ?? null })}
      />
    </div>
  );
}
