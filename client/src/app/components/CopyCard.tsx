/** One copy of work that the server refused, and what can be done with it. */
import { ClipboardPaste, Download, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { api } from "../../api";
import type { RefusedWork } from "../../offline";
import type { Canvas } from "../../protocol";
import { downloadJson } from "../download";
import { go } from "../router";

interface CopyCardProps {
  readonly copy: RefusedWork;
  readonly onDiscard: () => void;
  readonly onError: (what: string, error: unknown) => void;
  /** Put what was refused on the open canvas; left out where that cannot be. */
  readonly onPaste?: () => void;
}

export function CopyCard({ copy, onDiscard, onError, onPaste }: CopyCardProps) {
  const [busy, setBusy] = useState(false);
  const name = copy.spell.name ?? "Untitled";
  const makeCanvas = async () => {
    setBusy(true);
    try {
      const spell = { ...copy.spell, name: `${name} (copy)` };
      const made = await api.post<Canvas>("/v1/canvases", { name: spell.name, spell });
      onDiscard();
      go(`/canvas/${made.id}`);
    } catch (error) {
      onError("Could not make a canvas of the copy", error);
    } finally {
      setBusy(false);
    }
  };
  const discard = () => {
    if (window.confirm(`Discard this copy of “${name}” for good?`)) onDiscard();
  };
  return (
    <section className="copy-card" data-testid="copy-card" data-code={copy.error.code}>
      <h3 className="truncate">{name}</h3>
      <p>{copy.error.message}</p>
      <p className="faint">
        <code>{copy.error.code}</code> · {new Date(copy.at).toLocaleString()} · {things(copy)}
      </p>
      <div className="copy-actions">
        <button type="button" className="button" disabled={busy} onClick={() => void makeCanvas()}>
          <Plus size={13} /> New canvas
        </button>
        <button
          type="button"
          className="button"
          onClick={() => downloadJson(`${name}.copy.json`, copy.spell)}
        >
          <Download size={13} /> Download
        </button>
        {onPaste && (
          <button type="button" className="button" onClick={onPaste}>
            <ClipboardPaste size={13} /> Paste here
          </button>
        )}
        <button type="button" className="button quiet" onClick={discard}>
          <Trash2 size={13} /> Discard
        </button>
      </div>
    </section>
  );
}

function things({ touched, spell }: RefusedWork): string {
  if (touched.length === 0) return "the whole canvas";
  const names = [...new Set(touched.map((id) => short(nameOf(spell, id))))];
  return names.length > 3 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
}

function nameOf(spell: RefusedWork["spell"], id: string): string {
  const node = spell.nodes?.[id];
  if (node) return node.name || node.type;
  if (spell.notes?.[id]) return "a note";
  if (spell.groups?.[id]) return spell.groups[id].name || "a group";
  return spell.edges?.[id] ? "a wire" : "something removed";
}

function short(name: string): string {
  return name.length > 32 ? `${name.slice(0, 31)}…` : name;
}
