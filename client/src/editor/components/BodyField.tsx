/** Chooses what a node runs inside itself: a group of this canvas, another canvas, or a node type. */
import { ArrowUpRight, Search } from "lucide-react";
import { useEffect, useId, useMemo, useState } from "react";
import type { NodeBody, SpellNode } from "../../protocol";
import { useStore } from "../../store";
import { useBodyName } from "../hooks/useBodyName";
import { useEditor } from "../hooks/useEditor";
import { bodyKind } from "../store/bodies";
import { canvases, loadCanvases } from "../store/canvases";
import { framesAround } from "../store/folding";
import { openBody } from "../store/ways";

const KINDS = [
  ["group", "A group"],
  ["spell", "A canvas"],
  ["type", "A node type"],
] as const;

interface BodyFieldProps {
  readonly id: string;
  readonly node: SpellNode;
  readonly disabled: boolean;
}

export function BodyField({ id, node, disabled }: BodyFieldProps) {
  const editor = useEditor();
  const { body } = node.settings;
  const set = bodyKind(body);
  const name = useBodyName(body);
  const [chosen, choose] = useState(set);
  const kind = chosen ?? set;
  const give = (next: NodeBody | null) => editor.document.setSettings(id, { body: next });
  return (
    <div className="body-field" data-testid="body-field">
      <fieldset className="segments" aria-label="What it runs inside" disabled={disabled}>
        {KINDS.map(([each, words]) => (
          <button
            key={each}
            type="button"
            aria-pressed={kind === each}
            data-testid={`body-kind-${each}`}
            onClick={() => choose(each)}
          >
            {words}
          </button>
        ))}
      </fieldset>
      {set !== null && (
        <div className="body-now" data-testid="body-now">
          <span className="truncate">{name}</span>
          {set !== "type" && (
            <button
              type="button"
              className="button small"
              data-testid="open-body"
              onClick={() => openBody(editor, id)}
            >
              <ArrowUpRight size={13} /> {set === "spell" ? "Open" : "Show"}
            </button>
          )}
          {!disabled && (
            <button type="button" className="button small quiet" onClick={() => give(null)}>
              Take away
            </button>
          )}
        </div>
      )}
      {!disabled && kind === "group" && <GroupChoice node={node} give={give} />}
      {!disabled && kind === "spell" && <CanvasChoice now={body?.spell} give={give} />}
      {!disabled && kind === "type" && <TypeChoice now={body?.type} give={give} />}
    </div>
  );
}

type Give = (body: NodeBody) => void;

function GroupChoice({ node, give }: { node: SpellNode; give: Give }) {
  const editor = useEditor();
  const spell = useStore(editor.document.spell);
  const around = framesAround(spell, node.group);
  const groups = Object.entries(spell.groups).filter(([group]) => !around.includes(group));
  if (groups.length === 0)
    return (
      <p className="input-about">There is no group that it could run. Select nodes and group them first.</p>
    );
  return (
    <select
      className="field"
      aria-label="Group to run"
      data-testid="body-group"
      value={node.settings.body?.group ?? ""}
      onChange={(event) => event.target.value && give({ group: event.target.value })}
    >
      <option value="">Choose a group…</option>
      {groups.map(([group, { name }]) => (
        <option key={group} value={group}>
          {name || group}
        </option>
      ))}
    </select>
  );
}

const MOST = 30;

function CanvasChoice({ now, give }: { now: string | undefined; give: Give }) {
  const editor = useEditor();
  const known = useStore(canvases);
  const [words, setWords] = useState("");
  useEffect(() => void loadCanvases(true), []);
  const found = useMemo(() => {
    const needle = words.trim().toLowerCase();
    return [...(known?.values() ?? [])].filter(
      ({ id, name }) => id !== editor.document.canvas && name.toLowerCase().includes(needle),
    );
  }, [known, words, editor]);
  return (
    <div className="body-canvases">
      <label className="side-search">
        <Search size={13} aria-hidden="true" />
        <input
          type="search"
          placeholder={now === undefined ? "Find a canvas" : "Find another canvas"}
          aria-label="Find a canvas"
          data-testid="body-search"
          value={words}
          onChange={(event) => setWords(event.target.value)}
        />
      </label>
      <ul className="plain-list scroll" aria-label="Canvases" hidden={now !== undefined && words === ""}>
        {found.slice(0, MOST).map(({ id, name }) => (
          <li key={id}>
            <button
              type="button"
              className="body-canvas truncate"
              aria-current={id === now}
              data-testid={`body-canvas-${id}`}
              onClick={() => give({ spell: id })}
            >
              {name}
            </button>
          </li>
        ))}
      </ul>
      {known && found.length === 0 && words !== "" && (
        <p className="input-about">No other canvas is called so.</p>
      )}
      {found.length > MOST && now === undefined && (
        <p className="input-about">and {found.length - MOST} more: type to find them</p>
      )}
    </div>
  );
}

function TypeChoice({ now, give }: { now: string | undefined; give: Give }) {
  const editor = useEditor();
  const { types } = useStore(editor.library.state);
  const list = useId();
  return (
    <>
      <input
        key={now}
        className="field"
        list={list}
        placeholder="Type of node, like core.template"
        aria-label="Node type to run"
        data-testid="body-type"
        defaultValue={now ?? ""}
        onChange={(event) => {
          if (types[event.target.value]) give({ type: event.target.value });
        }}
      />
      <datalist id={list}>
        {Object.values(types).map(({ type, title }) => (
          <option key={type} value={type}>
            {title}
          </option>
        ))}
      </datalist>
    </>
  );
}
