/** Packs on the worker: what each brings, where it came from, why one is broken; installing and removing them. */
import { FileUp, LoaderCircle, Plus, TriangleAlert, X } from "lucide-react";
import { useContext, useEffect, useId, useMemo, useRef, useState } from "react";
import { api } from "../../../api";
import { useStore } from "../../../store";
import {
  type InstalledPack,
  isRequirementText,
  PackShelf,
  readRequirement,
  type Worker,
  whyNotName,
  whyNotSpecifier,
} from "../../../workers";
import { ConnectionContext } from "../../hooks/useConnection";
import { useEditor } from "../../hooks/useEditor";
import { Section } from "../Section";

export function PacksSection({ worker }: { readonly worker: Worker }) {
  const editor = useEditor();
  const connection = useContext(ConnectionContext);
  const { canvas } = editor.document;
  const shelf = useMemo(() => new PackShelf(api, canvas), [canvas]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another worker has other packs
  useEffect(() => (connection ? shelf.open(connection) : undefined), [shelf, connection, worker.id]);
  const packs = useStore(shelf.packs);
  const failure = useStore(shelf.failure);
  const doing = useStore(shelf.doing);
  const editable = useStore(editor.document.editable);
  const broken = packs?.filter(({ state }) => state === "failed").length ?? 0;
  return (
    <Section title={broken > 0 ? `Packs (${broken} broken)` : "Packs"} open={broken > 0}>
      <div className="packs" data-testid="packs">
        {packs === null ? (
          <p className="faint">{failure === null ? "Looking…" : ""}</p>
        ) : (
          packs.length === 0 && (
            <p className="faint">None. A pack adds node types to the library of this canvas.</p>
          )
        )}
        <ul className="plain-list" aria-label="Packs on the worker">
          {packs?.map((pack) => (
            <PackRow
              key={pack.id}
              pack={pack}
              editable={editable && doing === null}
              onRemove={() => void shelf.remove(pack)}
            />
          ))}
        </ul>
        {doing !== null && (
          <p role="status" className="pack-doing">
            <LoaderCircle size={12} className="spin" aria-hidden="true" /> {doing}…
          </p>
        )}
        {failure !== null && (
          <div className="notice error" role="alert" data-testid="packs-failure">
            {failure}
          </div>
        )}
        {editable && <InstallPack shelf={shelf} disabled={doing !== null} />}
      </div>
    </Section>
  );
}

interface PackRowProps {
  readonly pack: InstalledPack;
  readonly editable: boolean;
  readonly onRemove: () => void;
}

function PackRow({ pack, editable, onRemove }: PackRowProps) {
  const [sure, setSure] = useState(false);
  const nodes = pack.packs.reduce((sum, { nodes }) => sum + nodes, 0);
  const leftOut = Object.entries(pack.left_out);
  return (
    <li className="pack" data-state={pack.state} data-testid={`pack-${pack.distribution}`}>
      <div className="pack-head">
        {pack.state === "failed" && <TriangleAlert size={13} aria-label="Broken" />}
        {pack.state === "installing" && (
          <LoaderCircle size={13} className="spin" aria-label="Being installed" />
        )}
        <strong className="truncate">
          {pack.packs.map(({ title }) => title).join(", ") || pack.distribution}
        </strong>
        <span className="faint">{pack.version ?? pack.specifier}</span>
        {editable && (
          <button
            type="button"
            className={sure ? "button small danger" : "icon-button small"}
            aria-label={`Remove ${pack.distribution}${sure ? " for good" : ""}`}
            title="Remove from the worker"
            data-sure={sure}
            onBlur={() => setSure(false)}
            onClick={() => (sure ? onRemove() : setSure(true))}
          >
            {sure ? "Remove?" : <X size={13} />}
          </button>
        )}
      </div>
      <p className="faint">
        {pack.state === "ready" ? `${nodes} ${nodes === 1 ? "node" : "nodes"}, ` : ""}
        {pack.file_name ? `from the file ${pack.file_name}` : `${pack.distribution} from the index`}
        {pack.sha256[0] && (
          <>
            , pinned to <code title={pack.sha256.join("\n")}>{pack.sha256[0].slice(0, 8)}</code>
          </>
        )}
      </p>
      {pack.reason !== null && pack.reason !== "" && <p className="field-error pack-reason">{pack.reason}</p>}
      {pack.traceback && (
        <details>
          <summary>Traceback</summary>
          <pre className="scroll pack-traceback">{pack.traceback}</pre>
        </details>
      )}
      {leftOut.length > 0 && (
        <details>
          <summary>
            {leftOut.length} {leftOut.length === 1 ? "node is" : "nodes are"} left out
          </summary>
          <ul className="plain-list">
            {leftOut.map(([type, why]) => (
              <li key={type} className="faint">
                <code>{type}</code>: {why}
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}

function InstallPack({ shelf, disabled }: { readonly shelf: PackShelf; readonly disabled: boolean }) {
  const [text, setText] = useState("");
  const [tried, setTried] = useState(false);
  const error = useId();
  const file = useRef<HTMLInputElement>(null);
  const read = text.trim() === "" ? null : readRequirement(text);
  const why = text.trim() === "" ? null : whyNotPack(text, tried);
  const install = async () => {
    setTried(true);
    if (read === null || typeof read === "string") return;
    if (await shelf.install(read.name, read.specifier)) {
      setText("");
      setTried(false);
    }
  };
  return (
    <form
      className="requirement install-pack"
      aria-label="Install a pack"
      onSubmit={(event) => {
        event.preventDefault();
        void install();
      }}
    >
      <input
        className="field"
        aria-label="A pack's name and versions"
        aria-invalid={why !== null}
        aria-describedby={why ? error : undefined}
        placeholder="pack, or pack>=1.2"
        spellCheck={false}
        autoComplete="off"
        data-testid="pack-name"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button
        type="submit"
        className="icon-button small"
        aria-label="Install from the index"
        title="Install from the index"
        disabled={disabled || text.trim() === ""}
        data-testid="pack-install"
      >
        <Plus size={14} />
      </button>
      <button
        type="button"
        className="icon-button small"
        aria-label="Install from a file"
        title="Install from a wheel (.whl)"
        disabled={disabled}
        onClick={() => file.current?.click()}
      >
        <FileUp size={14} />
      </button>
      <input
        ref={file}
        type="file"
        accept=".whl"
        hidden
        data-testid="pack-file"
        onChange={(event) => {
          const [chosen] = event.target.files ?? [];
          event.target.value = "";
          if (chosen) void shelf.installFile(chosen);
        }}
      />
      {why && (
        <p className="field-error" id={error} role="alert">
          {why}
        </p>
      )}
    </form>
  );
}

/** What is wrong with what is typed so far; of what may yet become right nothing is said before it is tried. */
function whyNotPack(text: string, tried: boolean): string | null {
  const read = readRequirement(text);
  if (typeof read !== "string") return whyNotName(read.name) ?? whyNotSpecifier(read.specifier);
  return tried || !isRequirementText(text) ? read : null;
}
