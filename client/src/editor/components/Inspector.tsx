/** The panel at the right: all about the one selected node, or what can be done with several. */
import { lazy, Suspense, useMemo } from "react";
import { Boundary } from "../../app/components/Boundary";
import type { SpellNode } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { useFieldPresence } from "../hooks/useFieldPresence";
import {
  useNode,
  useNodeStatus,
  useNodeType,
  usePorts,
  useProblems,
  useShownState,
  useWired,
} from "../hooks/useNode";
import { loadCodeEditor } from "../hooks/usePreload";
import { mayHaveBody } from "../store/bodies";
import { nodeTitle, problemTone, type ShownPorts, shownPorts, type Wired } from "../store/graph";
import { shortWhy } from "../store/why";
import { BodyField } from "./BodyField";
import { CanvasFacts } from "./CanvasFacts";
import { EdgeInspector } from "./EdgeInspector";
import { FieldTag } from "./FieldTag";
import { InputRows } from "./InputRows";
import { InsideSection } from "./InsideSection";
import { NodeIcon } from "./NodeIcon";
import { NodeSettingsForm } from "./NodeSettingsForm";
import { OutputRows } from "./OutputRows";
import { ProblemText } from "./ProblemText";
import { RecordedInputs } from "./runs/RecordedInputs";
import { Section } from "./Section";
import { SelectionFacts } from "./SelectionFacts";
import { StateBadge } from "./StateBadge";
import { UpdateNode } from "./UpdateNode";

const CodeEditor = lazy(() => loadCodeEditor().then((module) => ({ default: module.CodeEditor })));

const NO_PORTS: ShownPorts = {
  inputs: [],
  outputs: [],
  broken: new Set(),
  extraInputs: false,
  reserved: [],
};

export function Inspector() {
  const editor = useEditor();
  const selection = useStore(editor.selection);
  const nodes = useStore(editor.document.spell, (spell) => spell.nodes);
  const chosen = [...selection].filter((id) => nodes[id]);
  const [only] = chosen;
  const wire = useStore(editor.document.spell, (spell) =>
    selection.size === 1 ? [...selection].find((id) => spell.edges[id]) : undefined,
  );
  return (
    <aside className="inspector scroll" aria-label="Inspector" data-testid="inspector">
      {only !== undefined && chosen.length === 1 ? (
        <NodeInspector key={only} id={only} />
      ) : chosen.length > 1 ? (
        <SelectionFacts ids={chosen} />
      ) : wire !== undefined ? (
        <EdgeInspector key={wire} id={wire} />
      ) : (
        <CanvasFacts />
      )}
    </aside>
  );
}

function NodeInspector({ id }: { id: string }) {
  const editor = useEditor();
  const node = useNode(id);
  const type = useNodeType(node);
  const wired = useWired(id);
  const problems = useProblems(id);
  const editable = useStore(editor.document.editable);
  const name = useFieldPresence(id, "name");
  const settings = useFieldPresence(id, "settings");
  const dynamic = useStore(editor.document.ports, (all) => all[id]);
  const status = useNodeStatus(id);
  const ports = useMemo(
    () => (node ? shownPorts(node, type, dynamic, wired) : NO_PORTS),
    [node, type, dynamic, wired],
  );
  if (!node) return null;
  const failed = status?.state === "failed" ? (status.last.error ?? null) : null;
  const title = nodeTitle(node, type);
  return (
    <>
      <header className="inspector-head" {...name.watch}>
        <NodeIcon type={node.type} category={type?.category} size={16} />
        <input
          key={title}
          className="title-field"
          aria-label="Name of the node"
          data-testid="node-name"
          defaultValue={title}
          readOnly={!editable}
          onBlur={(event) => {
            const name = event.target.value.trim();
            if (name !== title)
              editor.document.setName(id, name === "" || name === type?.title ? null : name);
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter") event.currentTarget.blur();
          }}
        />
        <FieldTag person={name.person} />
        <StatusOf id={id} node={node} wired={wired} />
      </header>
      <p className="inspector-type">
        <code>{node.type}</code>
        {type && <span> v{node.version ?? type.version}</span>}
        <span> · </span>
        <code title="The id of this node">{id}</code>
      </p>
      {type?.description && <p className="inspector-about">{type.description}</p>}
      <UpdateNode id={id} />
      <Problems id={id} />
      {mayHaveBody(node, type) && (
        <Section title="Runs inside" open>
          <BodyField id={id} node={node} disabled={!editable} />
        </Section>
      )}
      {mayHaveBody(node, type) && <InsideSection id={id} node={node} />}
      {node.code !== undefined && (
        <Section title="Code" open={node.settings.body === undefined}>
          <Boundary instead={() => <pre className="code-editor">{node.code}</pre>}>
            <Suspense fallback={<pre className="code-editor">{node.code}</pre>}>
              <CodeEditor
                node={id}
                language={type?.language ?? "python"}
                label={`Code of ${title}`}
                problems={problems}
                ports={ports}
                failure={failed}
              />
            </Suspense>
          </Boundary>
        </Section>
      )}
      <RecordedInputs id={id} />
      <PortSections id={id} wired={wired} />
      <Section title="Settings">
        <FieldTag person={settings.person} />
        <div className="settings-form" {...settings.watch}>
          <NodeSettingsForm id={id} node={node} type={type} disabled={!editable} />
        </div>
      </Section>
    </>
  );
}

function StatusOf({ id, node, wired }: { id: string; node: SpellNode; wired: Wired }) {
  const status = useNodeStatus(id);
  const state = useShownState(node, status, wired);
  return state ? (
    <StateBadge
      state={state}
      duration={status?.last.duration}
      why={shortWhy(state, status?.last, status?.gone)}
      waiting={status?.last.waiting}
    />
  ) : null;
}

function Problems({ id }: { id: string }) {
  const problems = useProblems(id).filter(({ code }) => code !== "outdated_version");
  if (problems.length === 0) return null;
  return (
    <div className="inspector-problems">
      {problems.map((problem) => (
        <div key={`${problem.code} ${problem.message}`} className={`notice ${problemTone(problem)}`}>
          <span>
            <ProblemText problem={problem} /> <code className="faint">{problem.code}</code>
          </span>
        </div>
      ))}
    </div>
  );
}

function PortSections({ id, wired }: { id: string; wired: Wired }) {
  const node = useNode(id);
  const type = useNodeType(node);
  if (!node) return null;
  return <PortSectionsOf id={id} wired={wired} node={node} type={type} />;
}

function PortSectionsOf({
  id,
  wired,
  node,
  type,
}: {
  id: string;
  wired: Wired;
  node: Parameters<typeof usePorts>[1];
  type: Parameters<typeof usePorts>[2];
}) {
  const ports: ShownPorts = usePorts(id, node, type, wired);
  const failed = useNodeStatus(id)?.state === "failed";
  const inputs = (
    <Section key="inputs" title="Inputs" open>
      <InputRows id={id} node={node} ports={ports} wired={wired} />
    </Section>
  );
  const last = (
    <Section key="last" title="Last run" open>
      <OutputRows id={id} node={node} ports={ports} wired={wired} />
    </Section>
  );
  // What went wrong is read before what to change.
  return failed ? [last, inputs] : [inputs, last];
}
