/** One test: how it stands; opened, what it claims and what is recorded of it. */
import {
  Check,
  ChevronRight,
  CircleDashed,
  LoaderCircle,
  Pencil,
  Play,
  Trash2,
  TriangleAlert,
  X,
} from "lucide-react";
import { useState } from "react";
import type { SpellTest } from "../../../protocol";
import { claimsOf, isOutdated, type Standing, standingWords } from "../../../spell_tests";
import { useStore } from "../../../store";
import { useEditor } from "../../hooks/useEditor";
import { useTestDesk } from "../../hooks/useTestDesk";
import { formatDuration } from "../../store/value_kind";
import { NameForm } from "../versions/NameForm";
import { ClaimLine } from "./ClaimLine";
import { LeftOutNote } from "./LeftOutNote";
import { NodeLink } from "./NodeLink";

const ICONS: Readonly<Record<Standing, typeof Check>> = {
  never: CircleDashed,
  running: LoaderCircle,
  passed: Check,
  failed: X,
  error: TriangleAlert,
};

interface TestRowProps {
  readonly id: string;
  readonly test: SpellTest;
  readonly open: boolean;
  readonly editable: boolean;
  readonly canRun: boolean;
}

export function TestRow({ id, test, open, editable, canRun }: TestRowProps) {
  const editor = useEditor();
  const desk = useTestDesk();
  const tested = useStore(desk.tested, (all) => all[id]);
  const going = useStore(desk.running, (ids) => ids.has(id));
  const outdated = useStore(
    editor.document.spell,
    (spell) => tested !== undefined && isOutdated(tested, spell),
  );
  const standing: Standing = going ? "running" : (tested?.result.outcome ?? "never");
  const result = tested?.result ?? null;
  const Icon = ICONS[standing];
  const name = test.name || "Unnamed test";
  return (
    <section className="trigger" aria-label={name} data-testid={`test-${id}`} data-state={standing}>
      <button
        type="button"
        className="trigger-head"
        aria-expanded={open}
        onClick={() => desk.opened.set(open ? null : id)}
      >
        <Icon
          size={15}
          strokeWidth={2.2}
          aria-hidden="true"
          className={standing === "running" ? "test-sign spin" : "test-sign"}
        />
        <span className="type-words">
          <span className="type-title truncate">{name}</span>
          <span className="type-hint" data-testid="test-standing">
            {standingWords[standing]}
            {!going && result && ` in ${formatDuration(result.duration)}`}
            {!going && outdated && ", edited since"}
          </span>
        </span>
        <ChevronRight size={13} className={open ? "turned" : ""} aria-hidden="true" />
      </button>
      {open && (
        <div className="trigger-body test-body">
          <Acts id={id} name={name} test={test} editable={editable} canRun={canRun} going={going} />
          <LeftOutNote test={id} />
          {result?.failure && !going && (
            <div className="notice error" role="status" data-testid="test-failure">
              <span>
                {result.failure.message}
                {result.failure.node !== null && (
                  <>
                    {" "}
                    <NodeLink node={result.failure.node} />
                  </>
                )}
              </span>
            </div>
          )}
          <Claims id={id} test={test} editable={editable} going={going} />
          <Recorded test={test} />
        </div>
      )}
    </section>
  );
}

interface ActsProps extends Omit<TestRowProps, "open"> {
  readonly name: string;
  readonly going: boolean;
}

function Acts({ id, name, test, editable, canRun, going }: ActsProps) {
  const editor = useEditor();
  const desk = useTestDesk();
  const [naming, setNaming] = useState(false);
  const remove = () => {
    editor.document.removeTest(id);
    editor.toasts.show({
      tone: "info",
      title: `Removed the test “${name}”`,
      action: { label: "Undo", run: () => void editor.document.addTest(test, id) },
    });
  };
  if (naming && editable)
    return (
      <NameForm
        label="Name of the test"
        button="Rename"
        start={test.name ?? ""}
        onName={async (to) => {
          editor.document.checkpoint();
          editor.document.setTest(id, { name: to });
        }}
        onClose={() => setNaming(false)}
      />
    );
  return (
    <div className="row-buttons">
      <button
        type="button"
        className="button small"
        disabled={!canRun || going}
        aria-label={`Run the test ${name}`}
        data-testid="test-run"
        onClick={() => void desk.run([id])}
      >
        <Play size={11} fill="currentColor" aria-hidden="true" /> Run
      </button>
      {editable && (
        <>
          <button
            type="button"
            className="button small"
            aria-label={`Rename the test ${name}`}
            data-testid="test-rename"
            onClick={() => setNaming(true)}
          >
            <Pencil size={11} aria-hidden="true" /> Rename
          </button>
          <button
            type="button"
            className="button small danger"
            aria-label={`Remove the test ${name}`}
            data-testid="test-remove"
            onClick={remove}
          >
            <Trash2 size={11} aria-hidden="true" /> Remove
          </button>
        </>
      )}
    </div>
  );
}

function Claims({ id, test, editable, going }: Pick<ActsProps, "id" | "test" | "editable" | "going">) {
  const desk = useTestDesk();
  const tested = useStore(desk.tested, (all) => all[id]);
  const claims = claimsOf(test, going ? null : (tested?.result ?? null));
  if (claims.length === 0) return <p className="faint">It runs the whole canvas, and no node may fail.</p>;
  return (
    <ul className="plain-list claims" aria-label="What must hold">
      {claims.map((claim) => (
        <ClaimLine
          key={`${claim.node}.${claim.port ?? ""}`}
          id={id}
          test={test}
          claim={claim}
          editable={editable}
        />
      ))}
    </ul>
  );
}

function Recorded({ test }: Pick<ActsProps, "test">) {
  const nodes = Object.keys(test.record);
  if (nodes.length === 0) return null;
  return (
    <p className="faint test-recorded" data-testid="test-recorded">
      Recorded, not called:{" "}
      {nodes.map((node, place) => (
        <span key={node}>
          {place > 0 && ", "}
          <NodeLink node={node} />
        </span>
      ))}
    </p>
  );
}
