/** The shared workers of the server, for those who look after them. */
import { Plus, Settings2 } from "lucide-react";
import { useEffect, useState } from "react";
import { useStore } from "../../../store";
import type { Worker, WorkerSettings } from "../../../workers";
import { Section } from "../Section";
import { WorkerBadge } from "./WorkerBadge";
import { WorkerSettingsSheet } from "./WorkerSettingsSheet";

export function SharedWorkers({ settings }: { readonly settings: WorkerSettings }) {
  const shared = useStore(settings.shared);
  /** The worker whose settings are open, by its id; "" for a new one. */
  const [open, setOpen] = useState<string | null>(null);
  useEffect(() => void settings.load(), [settings]);
  const chosen = shared?.find(({ id }) => id === open) ?? null;
  return (
    <Section title={shared?.length ? `Shared workers (${shared.length})` : "Shared workers"}>
      <div className="packs" data-testid="shared-workers">
        {shared?.length === 0 && (
          <p className="faint">
            None. On a shared worker several canvases have the same packages, and one memory for large values.
          </p>
        )}
        <ul className="plain-list" aria-label="Shared workers">
          {shared?.map((worker) => (
            <SharedRow key={worker.id} worker={worker} onSettings={() => setOpen(worker.id)} />
          ))}
        </ul>
        <div className="row-buttons">
          <button
            type="button"
            className="button small"
            data-testid="new-shared-worker"
            onClick={() => setOpen("")}
          >
            <Plus size={12} aria-hidden="true" /> New shared worker
          </button>
        </div>
      </div>
      {open !== null && (open === "" || chosen) && (
        <WorkerSettingsSheet settings={settings} worker={chosen} onClose={() => setOpen(null)} />
      )}
    </Section>
  );
}

function SharedRow({ worker, onSettings }: { readonly worker: Worker; readonly onSettings: () => void }) {
  return (
    <li className="pack" data-testid={`shared-${worker.name}`}>
      <div className="pack-head">
        <strong className="truncate">{worker.name}</strong>
        <WorkerBadge state={worker.state} reason={worker.reason} />
        <button
          type="button"
          className="icon-button small"
          aria-label={`Settings of ${worker.name}`}
          title="Name, limits, packages"
          onClick={onSettings}
        >
          <Settings2 size={13} />
        </button>
      </div>
      <p className="faint">
        {worker.open ? "For whoever edits a canvas" : "Administrators put canvases here"}
      </p>
    </li>
  );
}
