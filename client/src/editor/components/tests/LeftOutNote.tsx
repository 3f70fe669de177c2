/** What of its run the test that was just made does not have, and why. */
import { gapWords } from "../../../spell_tests";
import { useStore } from "../../../store";
import { useTestDesk } from "../../hooks/useTestDesk";
import { NodeLink } from "./NodeLink";

export function LeftOutNote({ test }: { readonly test: string }) {
  const desk = useTestDesk();
  const left = useStore(desk.leftOut);
  if (left?.test !== test) return null;
  return (
    <div className="notice warning" role="status" data-testid="test-left-out">
      <div className="grow">
        <p>Not taken from the run:</p>
        <ul>
          {left.parts.map(({ node, port, why }) => (
            <li key={`${node}.${port}`}>
              <NodeLink node={node} port={port === "" ? null : port} /> {gapWords(why)}
            </li>
          ))}
        </ul>
        <button type="button" className="link-button" onClick={() => desk.leftOut.set(null)}>
          Understood
        </button>
      </div>
    </div>
  );
}
