/** All about one selected wire: what it joins, what it does to a value on its way, and what that gives. */
import { ArrowRight, Plus, Spline, Unplug } from "lucide-react";
import { transformWords } from "../../engine/transform";
import { isRef, type Port, type SpellEdge, type Transform } from "../../protocol";
import { useStore } from "../../store";
import { outputNow, portsNow } from "../hooks/useConnect";
import { useEditor } from "../hooks/useEditor";
import { useNodeStatus, useProblems } from "../hooks/useNode";
import { useTitle } from "../hooks/useTitle";
import { shortMessage, whyNoFit } from "../store/graph";
import { schemaOf } from "../store/library";
import { schemaWords } from "../store/schema";
import { pathTo, reshaped } from "../store/transform_schemas";
import { type WireValue, wireValues } from "../store/wire_values";
import { portColour } from "./PortHandle";
import { Preview } from "./previews/Preview";
import { Section } from "./Section";
import { TRANSFORM_NAMES, TransformRow } from "./TransformRow";

const NONE: readonly Transform[] = [];

export function EdgeInspector({ id }: { id: string }) {
  const editor = useEditor();
  const edge = useStore(editor.document.spell, (spell) => spell.edges[id]);
  return edge ? <WireDetails id={id} edge={edge} /> : null;
}

function WireDetails({ id, edge }: { id: string; edge: SpellEdge }) {
  const editor = useEditor();
  const editable = useStore(editor.document.editable);
  useStore(editor.document.ports);
  useStore(editor.library.state);
  const output = outputNow(editor, edge.source, edge.output);
  const input = portsNow(editor, edge.target)?.inputs.find((port) => port.name === edge.input);
  const transforms = edge.transform ?? NONE;
  return (
    <>
      <header className="inspector-head">
        <span className="node-icon" aria-hidden="true">
          <Spline size={15} />
        </span>
        <h2>Wire</h2>
      </header>
      <p className="inspector-type">
        <code title="The id of this wire">{id}</code>
      </p>
      <div className="wire-ends">
        <WireEndRow word="From" node={edge.source} port={edge.output} known={output} />
        <WireEndRow word="To" node={edge.target} port={edge.input} known={input} />
      </div>
      <WireProblems id={id} output={output} input={input} transforms={transforms} />
      <Section title="Transforms" open>
        <Transforms id={id} edge={edge} output={output} disabled={!editable} />
      </Section>
      {editable && (
        <div className="fact-actions">
          <button
            type="button"
            className="button danger"
            onClick={() => {
              editor.document.checkpoint();
              editor.document.disconnect([id]);
              editor.select([]);
            }}
          >
            <Unplug size={13} /> Disconnect
          </button>
        </div>
      )}
    </>
  );
}

interface WireEndRowProps {
  readonly word: string;
  readonly node: string;
  readonly port: string;
  readonly known: Port | undefined;
}

function WireEndRow({ word, node, port, known }: WireEndRowProps) {
  const editor = useEditor();
  const title = useTitle(useStore(editor.document.spell, (spell) => spell.nodes[node]));
  return (
    <div className="wire-end">
      <span className="faint">{word}</span>
      {known && <span className="port-dot" style={{ background: portColour(known) }} aria-hidden="true" />}
      <button type="button" className="source-link truncate" onClick={() => editor.reveal(node)}>
        <strong>{title}</strong> · {port}
      </button>
      <span className="faint input-kind">{known ? schemaWords(schemaOf(known)) : "not there"}</span>
    </div>
  );
}

interface WireProblemsProps {
  readonly id: string;
  readonly output: Port | undefined;
  readonly input: Port | undefined;
  readonly transforms: readonly Transform[];
}

function WireProblems({ id, output, input, transforms }: WireProblemsProps) {
  const editor = useEditor();
  const editable = useStore(editor.document.editable);
  const problems = useProblems(id);
  const refusal = output && input ? whyNoFit({ output, input, transform: transforms }) : null;
  const { suggest } = refusal ?? {};
  if (problems.length === 0 && !refusal) return null;
  return (
    <div className="inspector-problems">
      {problems.map((problem) => (
        <div key={`${problem.code} ${problem.message}`} className="notice error">
          <span>
            {shortMessage(problem.message)} <code className="faint">{problem.code}</code>
          </span>
        </div>
      ))}
      {problems.length === 0 && refusal && <div className="notice error">{refusal.reason}</div>}
      {suggest && editable && (
        <button
          type="button"
          className="button"
          data-testid="take-suggestion"
          onClick={() => {
            editor.document.checkpoint();
            editor.document.setTransform(id, suggest);
          }}
        >
          <Plus size={13} /> {suggest.slice(transforms.length).map(transformWords).join(", then ")}
        </button>
      )}
    </div>
  );
}

interface TransformsProps {
  readonly id: string;
  readonly edge: SpellEdge;
  readonly output: Port | undefined;
  readonly disabled: boolean;
}

function Transforms({ id, edge, output, disabled }: TransformsProps) {
  const editor = useEditor();
  const transforms = edge.transform ?? NONE;
  const last = useNodeStatus(edge.source)?.last;
  const given = last?.outputs?.[edge.output];
  const values = wireValues(given, transforms);
  const put = (next: readonly Transform[], step = true) => {
    if (step) editor.document.checkpoint();
    editor.document.setTransform(id, next);
  };
  return (
    <>
      <ValueRow
        title={`${edge.output} gives`}
        value={values[0]}
        partial={isRef(given)}
        schema={output && schemaWords(schemaOf(output))}
      />
      {transforms.length > 0 && (
        <ol className="transform-list">
          {transforms.map((transform, index) => (
            <TransformRow
              // biome-ignore lint/suspicious/noArrayIndexKey: a transform is its place; two may be equal
              key={index}
              transform={transform}
              index={index}
              last={index === transforms.length - 1}
              disabled={disabled}
              onChange={(next) => put(transforms.with(index, next), false)}
              onMove={(by) => put(swapped(transforms, index, index + by))}
              onRemove={() => put(transforms.toSpliced(index, 1))}
            >
              <ValueRow
                value={values[index + 1]}
                partial={false}
                schema={wordsAfter(output, transforms.slice(0, index + 1))}
              />
            </TransformRow>
          ))}
        </ol>
      )}
      {!disabled && <AddTransform onAdd={(op) => put([...transforms, fresh(op, output, transforms)])} />}
    </>
  );
}

function AddTransform({ onAdd }: { onAdd: (op: Transform["op"]) => void }) {
  return (
    <fieldset className="add-transform" aria-label="Add a transform">
      {Object.entries(TRANSFORM_NAMES).map(([op, [title, about]]) => (
        <button
          key={op}
          type="button"
          className="button small"
          title={about}
          onClick={() => onAdd(op as Transform["op"])}
        >
          <Plus size={12} aria-hidden="true" /> {title}
        </button>
      ))}
    </fieldset>
  );
}

interface ValueRowProps {
  readonly title?: string;
  readonly value: WireValue | undefined;
  /** Whether it is only the beginning of a large value. */
  readonly partial: boolean;
  readonly schema: string | undefined;
}

function ValueRow({ title, value, partial, schema }: ValueRowProps) {
  if (!value) return null;
  return (
    <div className="wire-value" data-state={value.state} data-testid="wire-value">
      <div className="wire-value-head">
        {title ? <span>{title}</span> : <ArrowRight size={12} aria-label="gives" />}
        {schema && <span className="faint input-kind">{schema}</span>}
        {partial && <span className="faint">its beginning</span>}
      </div>
      {value.state === "value" && (
        <div className="output-box">
          <Preview value={value.value} place="node" label={title ?? "value"} />
        </div>
      )}
      {value.state === "failed" && <p className="field-error">{value.why}</p>}
      {value.state === "nothing" && title && <p className="faint">Run it to see values here.</p>}
    </div>
  );
}

/** What a new transform begins with: a field that the value has, the type that comes closest. */
function fresh(op: Transform["op"], output: Port | undefined, before: readonly Transform[]): Transform {
  switch (op) {
    case "pick": {
      const given = output ? reshaped(schemaOf(output), before) : { schema: {} };
      const field = "schema" in given ? Object.keys(given.schema.properties ?? {})[0] : undefined;
      return { op, path: field === undefined ? "value" : pathTo(field) };
    }
    case "index":
      return { op, index: 0 };
    case "default":
      return { op, value: null };
    case "cast":
      return { op, to: "string" };
    case "date":
      return { op };
  }
}

function wordsAfter(output: Port | undefined, transforms: readonly Transform[]): string | undefined {
  const given = output && reshaped(schemaOf(output), transforms);
  return given && "schema" in given ? schemaWords(given.schema) : undefined;
}

function swapped(list: readonly Transform[], a: number, b: number): readonly Transform[] {
  const [one, other] = [list[a], list[b]];
  return one && other ? list.with(a, other).with(b, one) : list;
}
