/** All that is different between a shown version and the present, thing by thing. */
import { ChevronRight, Crosshair } from "lucide-react";
import { useState } from "react";
import type { Json } from "../../../protocol";
import { useStore } from "../../../store";
import { byWhat, type Change, type Compared, markWords } from "../../../versions";
import { useEditor } from "../../hooks/useEditor";
import { LineDifference } from "./LineDifference";
import { MARK_ICONS } from "./VersionMark";

const MAX_VALUE = 160;
/** Things listed of each group at first. */
const MAX_LISTED = 200;

export function Differences({ difference }: { difference: Compared }) {
  const groups = byWhat(difference.changes);
  return (
    <aside
      className="inspector scroll differences"
      aria-label="Differences from now"
      data-testid="version-differences"
    >
      <header className="inspector-head">
        <h2>Differences from now</h2>
      </header>
      {difference.name && (
        <p className="menu-note">
          The canvas was called “{String(difference.name.before)}”. A restore keeps its name.
        </p>
      )}
      {groups.length === 0 && <p className="menu-note">The canvas is as it was then.</p>}
      {groups.map(({ what, changes }) => (
        <section key={what} aria-label={markWords(what)}>
          <h3 className="side-heading">
            {markWords(what)} <span className="faint">{changes.length}</span>
          </h3>
          <ul className="plain-list">
            {changes.slice(0, MAX_LISTED).map((change) => (
              <li key={`${change.kind} ${change.id}`}>
                <ChangeRow change={change} />
              </li>
            ))}
            {changes.length > MAX_LISTED && (
              <li className="menu-note">and {changes.length - MAX_LISTED} more</li>
            )}
          </ul>
        </section>
      ))}
    </aside>
  );
}

/** The fields that changed, in a few words. */
function fieldsOf(change: Change): string {
  const names = change.fields.map(({ field }) => field.replace(/^(inputs|settings)\./, ""));
  return names.length > 3 ? `${names.slice(0, 2).join(", ")} and ${names.length - 2} more` : names.join(", ");
}

/** What a changed thing is called. */
function useTitle(change: Change): string {
  const editor = useEditor();
  const spell = useStore(editor.document.spell);
  const types = useStore(editor.library.state, (state) => state.types);
  const nodeTitle = (id: string) => {
    const node = spell.nodes[id];
    return node ? node.name || types[node.type]?.title || node.type : id;
  };
  if (change.kind === "edges") {
    const edge = spell.edges[change.id];
    if (!edge) return change.name ?? change.id;
    return `${nodeTitle(edge.source)} · ${edge.output} → ${nodeTitle(edge.target)} · ${edge.input}`;
  }
  if (change.kind === "requirements") return `Package ${change.id}`;
  if (change.kind === "tests") return `Test ${change.name || change.id}`;
  if (change.name) return change.name;
  if (change.kind === "notes")
    return spell.notes[change.id]?.text.split("\n")[0]?.replace(/^#+\s*/, "") || "Note";
  if (change.kind === "groups") return "Group";
  return (change.type && types[change.type]?.title) || change.type || change.id;
}

function ChangeRow({ change }: { change: Change }) {
  const editor = useEditor();
  const title = useTitle(change);
  const details = change.what === "changed";
  const [open, setOpen] = useState(change.fields.some((field) => field.lines !== null));
  const Icon = MARK_ICONS[change.what];
  const nodes = useStore(editor.document.spell, (spell) => {
    const edge = spell.edges[change.id];
    return edge ? `${edge.source} ${edge.target}` : change.id;
  });
  return (
    <div className="change" data-testid={`change-${change.id}`} data-what={change.what}>
      <div className="change-head">
        <Icon size={12} aria-label={markWords(change.what)} />
        {details ? (
          <button
            type="button"
            className="change-title"
            aria-expanded={open}
            onClick={() => setOpen((now) => !now)}
          >
            <span className="truncate">
              {title} <span className="faint">{fieldsOf(change)}</span>
            </span>
            <ChevronRight size={12} className={open ? "turned" : ""} aria-hidden="true" />
          </button>
        ) : (
          <span className="change-title truncate">{title}</span>
        )}
        <button
          type="button"
          className="icon-button small"
          aria-label={`Go to ${title}`}
          title="Go to it"
          onClick={() => editor.view?.fit(nodes.split(" "))}
        >
          <Crosshair size={12} />
        </button>
      </div>
      {details && open && (
        <dl className="change-fields">
          {change.fields.map((field) => (
            <div key={field.field}>
              <dt>{field.field.replace(/^(inputs|settings)\./, "")}</dt>
              <dd>
                {field.lines ? (
                  <LineDifference lines={field.lines} cut={field.cut} />
                ) : (
                  <>
                    <Value label="then" value={field.before as Json} />
                    <Value label="now" value={field.after as Json} />
                  </>
                )}
              </dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

function Value({ label, value }: { label: string; value: Json }) {
  const text = value === null ? "nothing" : typeof value === "string" ? value : JSON.stringify(value);
  return (
    <p className="change-value">
      <span className="faint">{label}</span>{" "}
      <code>{text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text}</code>
    </p>
  );
}
