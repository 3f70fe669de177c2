/** All about the worker that this canvas runs on: how it stands, what it has, what it may, what it uses, what it said. */
import { LoaderCircle, Play, RotateCw, Settings2, Square } from "lucide-react";
import { useMemo, useState } from "react";
import { useStore } from "../../../store";
import type { Worker } from "../../../workers";
import {
  ALIVE,
  isolationWords,
  UNDER_WAY,
  WORKER_KINDS,
  WORKER_STATES,
  WorkerSettings,
} from "../../../workers";
import { useConnection } from "../../hooks/useConnection";
import { useRequirementFaults } from "../../hooks/useRequirementFaults";
import { useWorkerDesk } from "../../hooks/useWorkerDesk";
import { useWorkerRights } from "../../hooks/useWorkerRights";
import { Section } from "../Section";
import { AccessSection } from "./AccessSection";
import { EnvironmentFacts } from "./EnvironmentFacts";
import { ExternalSection } from "./ExternalSection";
import { IsolationList } from "./IsolationList";
import { PacksSection } from "./PacksSection";
import { Provisioning } from "./Provisioning";
import { RequirementsEditor } from "./RequirementsEditor";
import { SharedPackages } from "./SharedPackages";
import { SharedWorkers } from "./SharedWorkers";
import { WorkerBadge } from "./WorkerBadge";
import { WorkerLog } from "./WorkerLog";
import { WorkerLimitsList, WorkerMeters } from "./WorkerMeters";
import { WorkerSettingsSheet } from "./WorkerSettingsSheet";

export function WorkerPanel() {
  const desk = useWorkerDesk();
  const worker = useStore(desk.worker);
  const { steer, manage } = useWorkerRights(worker);
  const connection = useConnection();
  const settings = useMemo(() => new WorkerSettings(connection, desk), [connection, desk]);
  const failure = useStore(desk.failure);
  const faults = useRequirementFaults(worker);
  return (
    <div className="side-body" data-testid="worker-panel">
      <div className="scroll side-scroll worker-panel">
        {failure !== null && (
          <div className="notice error" role="alert" data-testid="worker-failure">
            {failure}
          </div>
        )}
        {worker && <WorkerHead worker={worker} settings={settings} />}
        <Section title="Packages" open>
          {worker?.kind === "shared" ? (
            <SharedPackages worker={worker} />
          ) : (
            <RequirementsEditor faults={faults} />
          )}
          {worker && <Provisioning desk={desk} worker={worker} />}
          {worker && <EnvironmentFacts desk={desk} worker={worker} />}
        </Section>
        {worker && (
          <>
            <PacksSection worker={worker} />
            <ExternalSection />
            <AccessSection />
            <Section title="Isolation">
              <p className="faint">{isolationWords(worker.layers)}</p>
              <IsolationList worker={worker} />
            </Section>
            <Section title="Use and limits">
              <WorkerMeters desk={desk} worker={worker} />
              <WorkerLimitsList worker={worker} />
            </Section>
            {steer && (
              <Section title="Log">
                <WorkerLog desk={desk} />
              </Section>
            )}
            {manage && <SharedWorkers settings={settings} />}
          </>
        )}
      </div>
    </div>
  );
}

interface WorkerHeadProps {
  readonly worker: Worker;
  readonly settings: WorkerSettings;
}

function WorkerHead({ worker, settings }: WorkerHeadProps) {
  const desk = useWorkerDesk();
  const doing = useStore(desk.doing);
  const { steer, manage } = useWorkerRights(worker);
  const [setting, setSetting] = useState(false);
  const alive = ALIVE.has(worker.state) || UNDER_WAY.has(worker.state);
  return (
    <div className="worker-head">
      <div className="worker-title">
        <strong className="truncate">{worker.name}</strong>
        <WorkerBadge state={worker.state} reason={worker.reason} testid="panel-worker-state" />
      </div>
      <p className="faint">{WORKER_KINDS[worker.kind]}</p>
      <p className="sr-only" role="status" aria-live="polite">
        Worker: {WORKER_STATES[worker.state][0]}
      </p>
      {worker.reason !== null ? (
        <div className={`notice ${worker.state === "failed" ? "error" : ""}`} data-testid="worker-reason">
          {Object.keys(worker.faults).length > 0
            ? "Its packages cannot be installed as they are asked for: see below."
            : worker.reason}
        </div>
      ) : (
        <p className="faint">{WORKER_STATES[worker.state][1]}</p>
      )}
      {steer && (
        <div className="row-buttons">
          {alive ? (
            <button
              type="button"
              className="button small"
              disabled={doing !== null}
              data-testid="panel-stop"
              onClick={() => void desk.act("stop")}
            >
              {doing === "stop" ? (
                <LoaderCircle size={12} className="spin" />
              ) : (
                <Square size={11} fill="currentColor" />
              )}{" "}
              Stop
            </button>
          ) : (
            <button
              type="button"
              className="button small"
              disabled={doing !== null}
              data-testid="panel-start"
              onClick={() => void desk.act("start")}
            >
              {doing === "start" ? (
                <LoaderCircle size={12} className="spin" />
              ) : (
                <Play size={11} fill="currentColor" />
              )}{" "}
              Start
            </button>
          )}
          <button
            type="button"
            className="button small"
            disabled={doing !== null || !alive}
            title="Values that live in it are lost; nodes make them again"
            data-testid="panel-restart"
            onClick={() => void desk.act("restart")}
          >
            {doing === "restart" ? <LoaderCircle size={12} className="spin" /> : <RotateCw size={12} />}{" "}
            Restart
          </button>
          {manage && worker.kind !== "external" && (
            <button
              type="button"
              className="button small"
              title="Its name, and what it may use"
              data-testid="worker-settings-open"
              onClick={() => {
                setSetting(true);
                void settings.load();
              }}
            >
              <Settings2 size={12} /> Settings
            </button>
          )}
        </div>
      )}
      {setting && (
        <WorkerSettingsSheet settings={settings} worker={worker} onClose={() => setSetting(false)} />
      )}
    </div>
  );
}
