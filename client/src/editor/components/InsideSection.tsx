/** What a node ran inside itself: how far it came, and of one iteration every node with its outputs or its failure. */
import { useState } from "react";
import type { Iteration, NodeRun } from "../../engine/types";
import type { SpellNode } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { type InsideShown, useInside } from "../hooks/useInside";
import { useTitle } from "../hooks/useTitle";
import { shortMessage } from "../store/graph";
import { IterationPicker } from "./IterationPicker";
import { Preview } from "./previews/Preview";
import { RoundsBar } from "./RoundsBar";
import { Section } from "./Section";
import { StateBadge } from "./StateBadge";

export function InsideSection({ id, node }: { id: string; node: SpellNode }) {
  const shown = useInside(id);
  if (!shown) return null;
  const title = shown.iteration?.index === null ? "What ran inside" : "Iterations";
  return (
    <Section title={title} open>
      <div className="inside" data-testid="iterations">
        {shown.rounds && <RoundsBar rounds={shown.rounds} testid="rounds" />}
        <IterationPicker shown={shown} testid="iteration-picker" />
        {shown.iteration && <IterationNodes key={id} node={node} shown={shown} iteration={shown.iteration} />}
      </div>
    </Section>
  );
}

const MOST = 100;

function IterationNodes({
  node,
  shown,
  iteration,
}: {
  node: SpellNode;
  shown: InsideShown;
  iteration: Iteration;
}) {
  const told = shown.failures.find(({ index }) => index === iteration.index);
  const entries = Object.entries(iteration.nodes);
  const rank = (run: NodeRun) => (run.state === "failed" ? 0 : 1);
  const rows = entries.sort(([, a], [, b]) => rank(a) - rank(b)).slice(0, MOST);
  return (
    <>
      {entries.length === 0 && (
        <p className={told ? "inside-failure" : "input-about"}>
          {told
            ? shortMessage(told.message)
            : "Of so many iterations this one was not told in detail; those that failed are."}
        </p>
      )}
      <ul className="plain-list" aria-label="Nodes of the iteration">
        {rows.map(([path, run]) => (
          <InnerNode key={path} path={path} run={run} group={node.settings.body?.group !== undefined} />
        ))}
      </ul>
      {entries.length > MOST && <p className="input-about">and {entries.length - MOST} more nodes</p>}
    </>
  );
}

function InnerNode({ path, run, group }: { path: string; run: NodeRun; group: boolean }) {
  const editor = useEditor();
  const [open, setOpen] = useState<boolean | null>(null);
  const drawn = useStore(editor.document.spell, (spell) => (group ? spell.nodes[path] : undefined));
  const called = useTitle(drawn);
  const title = drawn ? called : path.replaceAll("/", " → ");
  const outputs = Object.entries(run.outputs ?? {});
  const shown = open ?? run.state === "failed";
  return (
    <li className="inner-node" data-state={run.state} data-testid={`inner-${path}`}>
      <button type="button" className="inner-head" aria-expanded={shown} onClick={() => setOpen(!shown)}>
        <span className="truncate">{title}</span>
        <StateBadge state={run.state} duration={run.duration ?? undefined} />
      </button>
      {shown && run.error && (
        <div className="inside-failure">
          <strong>{run.error.code.replaceAll("_", " ")}</strong> {shortMessage(run.error.message)}
        </div>
      )}
      {shown && !run.error && run.message && <p className="input-about">{run.message}</p>}
      {shown &&
        outputs.map(([port, value]) => (
          <div key={port} className="inner-output">
            <span className="faint">{port}</span>
            <Preview value={value} schema={undefined} label={port} />
          </div>
        ))}
      {shown && drawn && (
        <button type="button" className="button small quiet" onClick={() => editor.reveal(path)}>
          Show on the canvas
        </button>
      )}
    </li>
  );
}
