/** What a worker's environment was made of: its Python, its key, and the lock with every version. */
import { useEffect, useState } from "react";
import type { Worker, WorkerDesk } from "../../../workers";

export function EnvironmentFacts({ desk, worker }: { readonly desk: WorkerDesk; readonly worker: Worker }) {
  const { python, key, locked } = worker.environment;
  if (python === null && key === null) return null;
  return (
    <div className="environment" data-testid="environment">
      <dl className="facts">
        {python !== null && (
          <>
            <dt>Python</dt>
            <dd>{python}</dd>
          </>
        )}
        {key !== null && (
          <>
            <dt>Environment</dt>
            <dd>{key === "base" ? "the server's own" : <code title={key}>{key.slice(0, 12)}</code>}</dd>
          </>
        )}
      </dl>
      {locked && <Lock key={key} desk={desk} />}
    </div>
  );
}

/** The locked packages, read when they are looked at. */
function Lock({ desk }: { readonly desk: WorkerDesk }) {
  const [open, setOpen] = useState(false);
  const [lock, setLock] = useState<string | null>(null);
  useEffect(() => {
    if (!open || lock !== null) return;
    desk.lock().then(setLock, (error: unknown) => setLock(`# ${String(error)}`));
  }, [open, lock, desk]);
  const packages = lockedPackages(lock ?? "");
  return (
    <details data-testid="lock" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{lock === null ? "Locked packages" : `Locked packages: ${packages.length}`}</summary>
      <ul className="plain-list lock-list" aria-label="Locked packages">
        {packages.map((line) => (
          <li key={line}>
            <code>{line}</code>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** `name==version` of each package in a lock that is a requirements.txt with hashes. */
export function lockedPackages(lock: string): readonly string[] {
  return lock
    .split("\n")
    .map((line) => /^([A-Za-z0-9][\w.-]*\s*==\s*[^\s;\\]+)/.exec(line)?.[1]?.replace(/\s/g, ""))
    .filter((line): line is string => line !== undefined);
}
