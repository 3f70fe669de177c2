/** Steps through a past run on the canvas: a slider over its events, and buttons. Nothing is run again. */
import { ChevronFirst, ChevronLast, LoaderCircle, Pause, Play, StepBack, StepForward, X } from "lucide-react";
import { useEffect } from "react";
import type { RunEvent, Spell } from "../../../protocol";
import { finishedUpTo, type Moment } from "../../../runs";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { useRunDesk } from "../../hooks/useRunDesk";
import { type TitleOf, useTitleOf } from "../../hooks/useTitle";
import { backToNow } from "../../store/past_runs";
import { formatDuration } from "../../store/value_kind";

export function StepBar() {
  const editor = useEditor();
  const { stepper } = useRunDesk();
  const moment = useStore(stepper.moment);
  const loading = useStore(stepper.loading);
  const nodes = useStore(editor.document.spell, (spell) => spell.nodes);
  const titleOf = useTitleOf();
  useOnCanvas();
  if (!moment)
    return loading ? (
      <div className="step-bar" role="status">
        <LoaderCircle size={14} className="spin" aria-hidden="true" /> Reading what happened
      </div>
    ) : null;
  const words = momentWords(nodes, titleOf, moment);
  return (
    <section
      className="step-bar"
      aria-label="Step through the run"
      data-testid="step-bar"
      onKeyDown={(event) => {
        if (event.key === " " && !(event.target instanceof HTMLButtonElement)) {
          event.preventDefault();
          toggle();
        }
        if (event.key === "Escape") backToNow(editor);
      }}
    >
      <div className="step-buttons">
        <Button label="To the beginning" testid="step-first" onClick={() => stepper.step(-moment.index)}>
          <ChevronFirst size={15} />
        </Button>
        <Button label="One node back" testid="step-back" onClick={() => stepper.stepNode(-1)}>
          <StepBack size={15} />
        </Button>
        <Button label={moment.playing ? "Pause" : "Play"} testid="step-play" onClick={toggle}>
          {moment.playing ? <Pause size={15} /> : <Play size={15} />}
        </Button>
        <Button label="One node on" testid="step-next" onClick={() => stepper.stepNode(1)}>
          <StepForward size={15} />
        </Button>
        <Button label="To the end" testid="step-last" onClick={() => stepper.step(moment.total)}>
          <ChevronLast size={15} />
        </Button>
      </div>
      <div className="step-middle">
        <input
          type="range"
          min={0}
          max={moment.total}
          value={moment.index}
          aria-label="Moment of the run"
          aria-valuetext={words}
          data-testid="step-slider"
          onChange={(event) => stepper.step(Number(event.target.value) - moment.index)}
        />
        <p className="step-words" data-testid="step-words">
          <span className="truncate">{words}</span>
          <span className="faint">
            {moment.index} of {moment.total}, {formatDuration(moment.at)}
          </span>
        </p>
      </div>
      <Button label="Back to now" testid="step-close" onClick={() => backToNow(editor)}>
        <X size={15} />
      </Button>
    </section>
  );

  function toggle() {
    if (stepper.moment.get()?.playing) stepper.pause();
    else stepper.play();
  }
}

interface ButtonProps {
  readonly label: string;
  readonly testid: string;
  onClick(): void;
  readonly children: React.ReactNode;
}

function Button({ label, testid, onClick, children }: ButtonProps) {
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={label}
      title={label}
      data-testid={testid}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

/** Keep the canvas and the page's plugins at the moment; end when something else takes the run off the canvas. */
function useOnCanvas(): void {
  const editor = useEditor();
  const { stepper } = useRunDesk();
  useEffect(() => {
    let putting = false;
    const ends = [
      stepper.moment.subscribe(() => {
        const moment = stepper.moment.get();
        if (!moment) return;
        putting = true;
        editor.viewing.set(moment.state);
        putting = false;
        editor.workbench.replays.stepTo(moment.run, finishedNodes(moment)).catch(() => {});
      }),
      editor.viewing.subscribe(() => {
        if (putting || !stepper.moment.get()) return;
        editor.workbench.replays.stop();
        stepper.close();
      }),
    ];
    return () => {
      for (const end of ends) end();
      stepper.close();
    };
  }, [editor, stepper]);
}

/** Nodes that have ended by now, in graph order: those that a replay shows. */
function finishedNodes({ state }: Moment): string[] {
  return state.order.filter((id) => {
    const node = state.nodes[id];
    return node !== undefined && !UNFINISHED.has(node.state);
  });
}

const UNFINISHED: ReadonlySet<string> = new Set(["queued", "waiting", "running", "cancelled", "interrupted"]);

const SAID: Readonly<Partial<Record<RunEvent["kind"], string>>> = {
  "run.started": "The run started",
  "run.completed": "The run completed",
  "run.failed": "The run failed",
  "run.cancelled": "The run was stopped",
  "run.resumed": "The run went on",
  "node.queued": "waits for its turn",
  "node.started": "started",
  "node.progress": "made progress",
  "node.log": "said something",
  "node.chunk": "streamed",
  "node.done": "is done",
  "node.failed": "failed",
  "node.skipped": "was skipped",
  "node.waiting": "waits",
};

function momentWords(nodes: Spell["nodes"], titleOf: TitleOf, { event }: Moment): string {
  if (!event) return "Before the run";
  const failed = (event.data as { failed?: string[] } | null | undefined)?.failed?.length ?? 0;
  if (event.kind === "run.completed" && failed > 0) return `The run ended, failed nodes: ${failed}`;
  const said = SAID[event.kind] ?? event.kind;
  if (!event.node) return said;
  const node = nodes[event.node];
  const title = node ? titleOf(node) : event.node;
  const why = finishedUpTo([event]).length > 0 && event.why ? ` (${event.why})` : "";
  return `${title} ${said}${why}`;
}
