/** One thing that must hold in a test: what, which value, and, where it did not, what came instead. */
import { Check, X } from "lucide-react";
import type { Json, SpellTest } from "../../../protocol";
import {
  type Claim,
  OPERATORS,
  shownValue,
  statusWords,
  withoutClaim,
  withValue,
} from "../../../spell_tests";
import { useEditor } from "../../hooks/useEditor";
import { NodeLink } from "./NodeLink";
import { ValueField } from "./ValueField";

interface ClaimLineProps {
  readonly id: string;
  readonly test: SpellTest;
  readonly claim: Claim;
  readonly editable: boolean;
}

export function ClaimLine({ id, test, claim, editable }: ClaimLineProps) {
  const { document } = useEditor();
  const { node, port, assertion, result } = claim;
  const place = port === null ? node : `${node}.${port}`;
  const set = (value: Json) => {
    const expected = withValue(test, claim, value);
    if (expected) document.setInTest(id, "expect", node, expected);
  };
  const remove = () => {
    document.checkpoint();
    document.setInTest(id, "expect", node, withoutClaim(test, claim));
  };
  return (
    <li className="claim" data-testid={`claim-${place}`} data-state={stateOf(claim)}>
      <div className="claim-head">
        <NodeLink node={node} port={port} />
        <span className="claim-op">
          {assertion ? OPERATORS[assertion.op] : statusWords(claim)}
          {assertion?.path && (
            <>
              {" "}
              at <code>{assertion.path}</code>
            </>
          )}
        </span>
        {result && (
          <span className="claim-outcome">
            {result.passed ? (
              <Check size={12} strokeWidth={2.4} aria-hidden="true" />
            ) : (
              <X size={12} strokeWidth={2.4} aria-hidden="true" />
            )}
            <span className="sr-only">{result.passed ? "holds" : "does not hold"}</span>
          </span>
        )}
        {editable && (
          <button
            type="button"
            className="icon-button small"
            aria-label={`Do not expect this of ${place}`}
            title="Remove"
            data-testid="claim-remove"
            onClick={remove}
          >
            <X size={12} aria-hidden="true" />
          </button>
        )}
      </div>
      {assertion && (
        <ValueField
          name={`Expected value of ${place}`}
          op={assertion.op}
          value={assertion.value as Json}
          disabled={!editable}
          onChange={set}
        />
      )}
      {result && !result.passed && <Difference result={result} />}
    </li>
  );
}

function stateOf({ result }: Claim): string {
  if (result === null) return "never";
  return result.passed ? "passed" : "failed";
}

/** What was expected, what came, and where in the value they differ. */
function Difference({ result }: { readonly result: NonNullable<Claim["result"]> }) {
  return (
    <div className="claim-difference" data-testid="claim-difference">
      {result.message !== "" && <p>{result.message}</p>}
      <dl>
        {result.path !== null && result.path !== "" && (
          <>
            <dt>At</dt>
            <dd>
              <code data-testid="difference-path">{result.path}</code>
            </dd>
          </>
        )}
        <dt>Expected</dt>
        <dd>
          <code data-testid="difference-expected">{shownValue(result.expected, result.cut)}</code>
        </dd>
        <dt>Actual</dt>
        <dd>
          <code data-testid="difference-actual">{shownValue(result.actual, result.cut)}</code>
        </dd>
      </dl>
    </div>
  );
}
