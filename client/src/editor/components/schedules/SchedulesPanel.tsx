/** What starts runs of this canvas by itself: when it is due, how it went, and what to do about it. */
import { Plus } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { useStore } from "../../../store";
import { type Trigger, TriggerDesk } from "../../../triggers";
import { useConnection } from "../../hooks/useConnection";
import { useEditor } from "../../hooks/useEditor";
import { TriggerDeskContext } from "../../hooks/useTriggerDesk";
import { FreshSecret } from "./FreshSecret";
import { TriggerRow } from "./TriggerRow";
import { TriggerSheet } from "./TriggerSheet";

/** How often "in 5 minutes" is said anew. */
const TICK_MS = 1_000;

export function SchedulesPanel() {
  const editor = useEditor();
  const connection = useConnection();
  const { canvas } = editor.document;
  const desk = useMemo(() => new TriggerDesk(connection, canvas), [connection, canvas]);
  const role = useStore(editor.document.role);
  const triggers = useStore(desk.triggers);
  const failure = useStore(desk.failure);
  const firings = useStore(desk.firings);
  const fresh = useStore(desk.fresh);
  // Null: no form; "new": one for another trigger.
  const [editing, setEditing] = useState<Trigger | "new" | null>(null);
  const now = useNow();
  const edits = role === "editor" || role === "owner" || editor.user.role === "admin";
  useEffect(() => {
    const end = desk.open();
    void desk.load();
    return end;
  }, [desk]);
  return (
    <TriggerDeskContext value={desk}>
      <div className="side-body schedules" data-testid="schedules">
        {edits && (
          <button
            type="button"
            className="button save-version"
            data-testid="new-trigger"
            onClick={() => setEditing("new")}
          >
            <Plus size={13} aria-hidden="true" /> New schedule
          </button>
        )}
        <div className="scroll side-scroll">
          {failure !== null && (
            <div className="notice error" role="alert" data-testid="schedules-failure">
              {failure}
            </div>
          )}
          {triggers?.length === 0 && (
            <p className="menu-note">
              Nothing runs this canvas by itself yet. A schedule runs it at times, when somebody sends to it,
              when an address changes, or after another canvas.
            </p>
          )}
          <ul className="plain-list">
            {triggers?.map((trigger) => (
              <li key={trigger.id}>
                <TriggerRow
                  trigger={trigger}
                  now={now}
                  firings={firings?.trigger === trigger.id ? firings.items : null}
                  onEdit={() => setEditing(trigger)}
                />
              </li>
            ))}
          </ul>
        </div>
        {editing !== null && (
          <TriggerSheet trigger={editing === "new" ? null : editing} onClose={() => setEditing(null)} />
        )}
        {fresh && <FreshSecret fresh={fresh} onAway={() => desk.putAway()} />}
      </div>
    </TriggerDeskContext>
  );
}

/** Now, in Unix seconds, as it goes on. */
function useNow(): number {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now() / 1000), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
