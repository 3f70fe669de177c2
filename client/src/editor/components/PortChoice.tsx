/** A value among choices that follow from the node's other inputs, in its row on the node. */
import { useState } from "react";
import type { Json, Port, SpellNode } from "../../protocol";
import { useStore } from "../../store";
import { useChoices } from "../hooks/useChoices";
import { useEditor } from "../hooks/useEditor";
import { useNode } from "../hooks/useNode";

const OTHER = "other";

interface PortChoiceProps {
  readonly node: string;
  readonly port: Port;
  readonly value: Json | undefined;
  readonly label: string;
  /** The field where anything may be typed: while no choices are known, and when none of them will do. */
  readonly children: (onLeft?: () => void) => React.ReactNode;
}

export function PortChoice(props: PortChoiceProps) {
  const itself = useNode(props.node);
  return itself ? <Choice {...props} itself={itself} /> : null;
}

function Choice({
  node,
  port,
  value,
  label,
  children,
  itself,
}: PortChoiceProps & { readonly itself: SpellNode }) {
  const { document } = useEditor();
  const editable = useStore(document.editable);
  const choices = useChoices(node, itself, port);
  const [typing, setTyping] = useState(false);
  if (choices.length === 0) return children();
  if (typing) return children(() => setTyping(false));
  const texts = choices.map((choice) => JSON.stringify(choice));
  const shown = value === undefined || value === "" ? "" : JSON.stringify(value);
  const strange = shown !== "" && !texts.includes(shown);
  const choose = (chosen: string) => {
    if (chosen === OTHER) setTyping(true);
    else document.setInput(node, port.name, chosen === "" ? undefined : (JSON.parse(chosen) as Json));
  };
  return (
    <select
      className="port-value nodrag"
      aria-label={label}
      aria-invalid={strange}
      title={strange ? `“${words(value)}” is not among the choices` : undefined}
      disabled={!editable}
      value={shown}
      data-testid={`choice-${node}-${port.name}`}
      onChange={(event) => choose(event.target.value)}
    >
      <option value="">{words(port.default) || "Choose…"}</option>
      {strange && <option value={shown}>{words(value)}</option>}
      {choices.map((choice, index) => (
        <option key={texts[index]} value={texts[index]}>
          {words(choice)}
        </option>
      ))}
      <option value={OTHER}>Another value…</option>
    </select>
  );
}

function words(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
