/** Asks what a name of code is to be called, in all cells that read it. */
import { useState } from "react";

interface RenameFieldProps {
  readonly name: string;
  readonly onRename: (to: string) => void;
  readonly onClose: () => void;
}

export function RenameField({ name, onRename, onClose }: RenameFieldProps) {
  const [to, setTo] = useState(name);
  return (
    <form
      className="rename-field"
      onSubmit={(event) => {
        event.preventDefault();
        const wanted = to.trim();
        if (wanted !== "" && wanted !== name) onRename(wanted);
        else onClose();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onClose();
      }}
    >
      <label>
        <span>
          Rename <code>{name}</code> everywhere to
        </span>
        <input
          className="field"
          // biome-ignore lint/a11y/noAutofocus: whoever asked for it goes on by typing
          autoFocus
          value={to}
          onChange={(event) => setTo(event.target.value)}
          onFocus={(event) => event.target.select()}
          data-testid="rename-to"
        />
      </label>
      <button type="submit" className="button small">
        Rename
      </button>
    </form>
  );
}
