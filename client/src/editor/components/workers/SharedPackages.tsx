/** The packages of a shared worker, which has them in the place of those that its canvases ask for. */
import { useStore } from "../../../store";
import { type Worker, writeRequirements } from "../../../workers";
import { useEditor } from "../../hooks/useEditor";

export function SharedPackages({ worker }: { readonly worker: Worker }) {
  const editor = useEditor();
  const asked = useStore(editor.document.spell, ({ requirements }) => Object.keys(requirements).length);
  const lines = writeRequirements(worker.environment.requirements).split("\n").filter(Boolean);
  return (
    <div className="requirements" data-testid="shared-packages">
      <p className="faint">
        A shared worker has packages of its own, which its administrators choose.
        {asked > 0 && " Those that this canvas asks for count where it runs on its own worker."}
      </p>
      {lines.length === 0 ? (
        <p className="faint">It asks for none beside the server's.</p>
      ) : (
        <ul className="plain-list lock-list" aria-label="Packages of the shared worker">
          {lines.map((line) => (
            <li key={line}>
              <code>{line}</code>
            </li>
          ))}
        </ul>
      )}
      {worker.faults[""] && <p className="field-error">{worker.faults[""]}</p>}
      {Object.entries(worker.faults).map(
        ([name, why]) => name && <p className="field-error" key={name}>{`${name}: ${why}`}</p>,
      )}
    </div>
  );
}
