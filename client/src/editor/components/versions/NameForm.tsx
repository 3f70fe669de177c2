/** One field and one button: what a version is to be called. */
import { useEffect, useRef, useState } from "react";

interface NameFormProps {
  readonly label: string;
  readonly button: string;
  readonly start?: string;
  /** Whether no name is an answer too: it takes the name away. */
  readonly emptyAllowed?: boolean;
  readonly onName: (name: string) => Promise<void>;
  readonly onClose: () => void;
}

export function NameForm({
  label,
  button,
  start = "",
  emptyAllowed = false,
  onName,
  onClose,
}: NameFormProps) {
  const [name, setName] = useState(start);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.select(), []);
  const wanted = name.trim();
  async function submit(event: React.FormEvent) {
    event.preventDefault();
    if (busy || (wanted === "" && !emptyAllowed)) return;
    setBusy(true);
    try {
      await onName(wanted);
      onClose();
    } catch {
      setBusy(false); // The toast says why; what was typed stays.
    }
  }
  return (
    <form className="name-form" onSubmit={(event) => void submit(event)}>
      <input
        ref={field}
        className="field"
        aria-label={label}
        placeholder={label}
        data-testid="version-name"
        value={name}
        maxLength={200}
        onChange={(event) => setName(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") {
            event.stopPropagation();
            onClose();
          }
        }}
      />
      <button
        type="submit"
        className="button primary"
        disabled={busy || (wanted === "" && !emptyAllowed)}
        data-testid="version-name-done"
      >
        {button}
      </button>
    </form>
  );
}
