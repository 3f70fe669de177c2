/** Below code: what goes in and out of it, and what can be done with it. */
import { Pencil, Play, WandSparkles } from "lucide-react";
import type { Port } from "../../protocol";
import { keyCaps } from "../store/commands";
import { schemaOf } from "../store/library";
import { schemaWords } from "../store/schema";

interface CodeBarProps {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly editable: boolean;
  readonly onFormat: () => void;
  readonly onRename: () => void;
  readonly onRun: () => void;
}

export function CodeBar({ inputs, outputs, editable, onFormat, onRename, onRun }: CodeBarProps) {
  return (
    <div className="code-bar">
      <p className="code-signature" data-testid="code-signature" title="What the code takes in and gives out">
        <span className="sr-only">Takes </span>({inputs.map(said).join(", ")})
        <span className="sr-only"> and gives </span> <span aria-hidden="true">→</span>{" "}
        {outputs.length === 0 ? "nothing" : outputs.map(said).join(", ")}
      </p>
      <div className="code-actions">
        <Action title="Run this cell" keys="Mod+Enter" onClick={onRun} icon={<Play size={13} />} />
        {editable && (
          <>
            <Action title="Format" keys="Shift+Alt+F" onClick={onFormat} icon={<WandSparkles size={13} />} />
            <Action title="Rename everywhere" keys="F2" onClick={onRename} icon={<Pencil size={13} />} />
          </>
        )}
      </div>
    </div>
  );
}

interface ActionProps {
  readonly title: string;
  readonly keys: string;
  readonly icon: React.ReactNode;
  readonly onClick: () => void;
}

function Action({ title, keys, icon, onClick }: ActionProps) {
  return (
    <button
      type="button"
      className="icon-button small"
      aria-label={title}
      title={`${title} (${keyCaps(keys).join(" ")})`}
      // Else the code would lose its selection, which says what is to be renamed.
      onMouseDown={(event) => event.preventDefault()}
      onClick={onClick}
    >
      {icon}
    </button>
  );
}

function said(port: Port): string {
  const words = schemaWords(schemaOf(port));
  const optional = port.required === false ? "?" : "";
  return words === "any" ? `${port.name}${optional}` : `${port.name}${optional}: ${words}`;
}
