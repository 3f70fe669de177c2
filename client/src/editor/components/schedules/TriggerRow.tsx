/** One schedule: when it fires, when next, how the last times went, and what may be done. */
import {
  ArrowRight,
  ChevronRight,
  Clock,
  KeyRound,
  Pencil,
  Play,
  Radar,
  Repeat,
  Trash2,
  Webhook,
  Workflow,
} from "lucide-react";
import { useState } from "react";
import { copyText } from "../../../app/copy_text";
import type { RunStatus } from "../../../protocol";
import { useStore } from "../../../store";
import {
  distanceWords,
  type Firing,
  OUTCOMES,
  type Trigger,
  type TriggerKind,
  timeWords,
  whenWords,
} from "../../../triggers";
import { useEditor } from "../../hooks/useEditor";
import { useTriggerDesk } from "../../hooks/useTriggerDesk";
import { wordsOfRun } from "../../store/why";

const ICONS: Readonly<Record<TriggerKind, typeof Clock>> = {
  cron: Clock,
  interval: Repeat,
  webhook: Webhook,
  poll: Radar,
  event: Workflow,
};

interface TriggerRowProps {
  readonly trigger: Trigger;
  readonly now: number;
  /** Its last firings, where it is open. */
  readonly firings: readonly Firing[] | null;
  readonly onEdit: () => void;
}

export function TriggerRow({ trigger, now, firings, onEdit }: TriggerRowProps) {
  const editor = useEditor();
  const desk = useTriggerDesk();
  const role = useStore(editor.document.role);
  const own = trigger.user === editor.user.id && role !== "viewer" && role !== "runner";
  const steers = own || role === "owner" || editor.user.role === "admin";
  const Icon = ICONS[trigger.kind];
  const open = firings !== null;
  return (
    <section className="trigger" aria-label={trigger.name} data-testid={`trigger-${trigger.id}`}>
      <button
        type="button"
        className="trigger-head"
        aria-expanded={open}
        onClick={() => void desk.look(open ? null : trigger.id)}
      >
        <Icon size={15} aria-hidden="true" className={trigger.enabled ? "" : "trigger-off"} />
        <span className="type-words">
          <span className="trigger-title">
            <span className="type-title truncate">{trigger.name}</span>
            {trigger.last && <Outcome firing={trigger.last} />}
          </span>
          <span className="type-hint">{whenWords(trigger)}</span>
          <span className="type-hint" data-testid="trigger-next">
            {nextWords(trigger, now)}
          </span>
        </span>
        <ChevronRight size={13} className={open ? "turned" : ""} aria-hidden="true" />
      </button>
      {trigger.fault !== null && (
        <div className="notice error" role="status" data-testid="trigger-fault">
          {trigger.fault}
        </div>
      )}
      {open && (
        <div className="trigger-body">
          {trigger.url !== null && <HookAddress url={trigger.url} />}
          {steers && (
            <div className="row-buttons">
              <button
                type="button"
                className="button small"
                title="Start a run now; its times stay as they are"
                data-testid="trigger-fire"
                onClick={() => void desk.fire(trigger)}
              >
                <Play size={11} fill="currentColor" /> Fire now
              </button>
              {own && (
                <button type="button" className="button small" data-testid="trigger-edit" onClick={onEdit}>
                  <Pencil size={11} /> Change
                </button>
              )}
              {(own || trigger.enabled) && (
                <button
                  type="button"
                  className="button small"
                  data-testid="trigger-turn"
                  onClick={() => void desk.turn(trigger, !trigger.enabled)}
                >
                  Turn {trigger.enabled ? "off" : "on"}
                </button>
              )}
              {own && trigger.kind === "webhook" && <NewSecretButton trigger={trigger} />}
              <RemoveButton trigger={trigger} />
            </div>
          )}
          <Firings items={firings} now={now} />
        </div>
      )}
    </section>
  );
}

function nextWords(trigger: Trigger, now: number): string {
  if (!trigger.enabled) return "Off";
  if (trigger.next_at === null)
    return trigger.last ? `Last ${distanceWords(trigger.last.fired_at, now)}` : "Waits";
  const away = trigger.next_at <= now ? "now" : distanceWords(trigger.next_at, now);
  return `Next ${away}, ${timeWords(trigger.next_at)}`;
}

function Outcome({ firing }: { readonly firing: Firing }) {
  const [word, tone] = wordsOf(firing);
  return (
    <span className="trigger-outcome" data-state={tone}>
      <span className="outcome-dot" aria-hidden="true" />
      {word}
    </span>
  );
}

/** How a firing went: of one that started a run, how that went. */
function wordsOf(firing: Firing): readonly [word: string, tone: string] {
  if (firing.outcome !== "started" || firing.status === null) return OUTCOMES[firing.outcome];
  const { word, tone } = wordsOfRun(firing.status as RunStatus, firing.failed_nodes);
  return [word.charAt(0).toUpperCase() + word.slice(1), tone];
}

function Firings({ items, now }: { readonly items: readonly Firing[]; readonly now: number }) {
  const editor = useEditor();
  const { runs, replays } = editor.workbench;
  async function show(id: string) {
    try {
      editor.viewing.set(await runs.load(id));
      await replays.replay(id);
    } catch (error) {
      editor.toasts.error("Could not show the run", error);
    }
  }
  if (items.length === 0) return <p className="faint">It has not fired yet.</p>;
  return (
    <ul className="plain-list firings" aria-label="Last firings">
      {items.map((firing) => (
        <li key={firing.id} data-testid={`firing-${firing.outcome}`}>
          <Outcome firing={firing} />
          <span className="grow" title={timeWords(firing.due_at)}>
            {distanceWords(firing.due_at, now)}
            {firing.reason !== null && <span className="firing-reason">{firing.reason}</span>}
          </span>
          {firing.run !== null && firing.status !== null && (
            <button
              type="button"
              className="link-button"
              data-testid="firing-run"
              onClick={() => void show(firing.run ?? "")}
            >
              Run <ArrowRight size={11} aria-hidden="true" />
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}

function HookAddress({ url }: { readonly url: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <div className="hook-address">
      <code className="truncate" title={url}>
        {url}
      </code>
      <button type="button" className="link-button" onClick={() => void copyText(url).then(setCopied)}>
        {copied ? "Copied" : "Copy"}
      </button>
    </div>
  );
}

function NewSecretButton({ trigger }: { readonly trigger: Trigger }) {
  const desk = useTriggerDesk();
  const [sure, setSure] = useState(false);
  return (
    <button
      type="button"
      className="button small"
      title="The one before stays good for a day"
      data-testid="trigger-rotate"
      data-sure={sure}
      onBlur={() => setSure(false)}
      onClick={() => (sure ? void desk.rotate(trigger).then(() => setSure(false)) : setSure(true))}
    >
      <KeyRound size={11} /> {sure ? "Make another secret?" : "New secret"}
    </button>
  );
}

function RemoveButton({ trigger }: { readonly trigger: Trigger }) {
  const desk = useTriggerDesk();
  const [sure, setSure] = useState(false);
  return (
    <button
      type="button"
      className="button small danger"
      aria-label={sure ? `Remove ${trigger.name} for good` : `Remove ${trigger.name}`}
      title="Its runs stay"
      data-testid="trigger-remove"
      data-sure={sure}
      onBlur={() => setSure(false)}
      onClick={() => (sure ? void desk.remove(trigger) : setSure(true))}
    >
      <Trash2 size={11} /> {sure ? "Remove for good?" : "Remove"}
    </button>
  );
}
