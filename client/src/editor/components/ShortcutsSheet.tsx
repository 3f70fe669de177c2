/** Every shortcut, by section: the same table that the keyboard reads. */
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { COMMANDS, keyCaps } from "../store/commands";
import { Sheet } from "./Sheet";

const BY_HAND: readonly [what: string, keys: string][] = [
  ["Pan", "Space + drag, drag, or scroll"],
  ["Zoom", "Mod + scroll, or pinch"],
  ["Add to selection", "Shift + drag, Shift + click"],
  ["Add a node here", "Double-click"],
  ["Add a node to a wire's end", "Drop the wire on empty space"],
  ["Select the focused node", "Enter"],
];

export function ShortcutsSheet() {
  const editor = useEditor();
  const open = useStore(editor.shortcuts);
  if (!open) return null;
  const sections = [...new Set(COMMANDS.map((command) => command.section))];
  return (
    <Sheet title="Shortcuts" onClose={() => editor.shortcuts.set(false)} testid="shortcuts">
      <div className="shortcut-grid">
        {sections.map((section) => (
          <section key={section}>
            <h3 className="side-heading">{section}</h3>
            {COMMANDS.filter((command) => command.section === section && command.keys.length > 0).map(
              (command) => (
                <div className="shortcut" key={command.id}>
                  <span>{command.title}</span>
                  <span className="keys">
                    {command.keys.map((keys, index) => (
                      <span key={keys} className="keys">
                        {index > 0 && <span className="faint">or</span>}
                        {keyCaps(keys).map((cap) => (
                          <kbd key={cap}>{cap}</kbd>
                        ))}
                      </span>
                    ))}
                  </span>
                </div>
              ),
            )}
          </section>
        ))}
        <section>
          <h3 className="side-heading">By hand</h3>
          {BY_HAND.map(([what, keys]) => (
            <div className="shortcut" key={what}>
              <span>{what}</span>
              <span className="faint">{keys.replace("Mod", keyCaps("Mod")[0] ?? "Ctrl")}</span>
            </div>
          ))}
        </section>
      </div>
    </Sheet>
  );
}
