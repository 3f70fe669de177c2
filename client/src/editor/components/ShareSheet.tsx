/** Who may see, run and edit this canvas. */
import { Link2, X } from "lucide-react";
import { useCallback, useEffect, useState } from "react";
import { api } from "../../api";
import { copyText } from "../../app/copy_text";
import type { Role } from "../../protocol";
import { useStore } from "../../store";
import { useEditor } from "../hooks/useEditor";
import { initials } from "./PresenceBar";
import { Sheet } from "./Sheet";

interface Member {
  readonly user_id: string;
  readonly email: string;
  readonly name: string;
  readonly role: Role;
}

const ROLES: readonly [role: Role, words: string][] = [
  ["viewer", "may look"],
  ["runner", "may run"],
  ["editor", "may edit"],
  ["owner", "owns it"],
];

export function ShareSheet() {
  const editor = useEditor();
  const open = useStore(editor.share);
  return open ? <OpenShareSheet /> : null;
}

function OpenShareSheet() {
  const editor = useEditor();
  const path = `/v1/canvases/${editor.document.canvas}/members`;
  const [members, setMembers] = useState<readonly Member[]>([]);
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("editor");
  /** Said in the sheet: a message behind it would not be seen. */
  const [failure, setFailure] = useState<string | null>(null);
  const act = useCallback(async (what: string, work: () => Promise<{ items: Member[] }>) => {
    try {
      setMembers((await work()).items);
      setFailure(null);
      return true;
    } catch (error) {
      setFailure(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  }, []);
  useEffect(() => {
    void act("Could not list the members", () => api.get(path));
  }, [act, path]);
  return (
    <Sheet title="Share this canvas" onClose={() => editor.share.set(false)} testid="share">
      <form
        className="inline-form"
        onSubmit={(event) => {
          event.preventDefault();
          void act("Could not share", () => api.put(path, { email: email.trim(), role })).then((shared) => {
            if (shared) setEmail("");
          });
        }}
      >
        <input
          className="field"
          type="email"
          required
          placeholder="Email of somebody with an account here"
          aria-label="Email"
          data-testid="share-email"
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
        <RoleSelect value={role} label="Role" onChange={setRole} />
        <button type="submit" className="button primary" data-testid="share-submit">
          Share
        </button>
      </form>
      {failure !== null && (
        <div className="notice error" role="alert" data-testid="share-error">
          {failure}
        </div>
      )}
      {members.map((member) => (
        <div className="card-row" key={member.user_id}>
          <span className="avatar plain">{initials(member.name || member.email)}</span>
          <span className="grow truncate">
            {member.name || member.email} <span className="faint">{member.name ? member.email : ""}</span>
          </span>
          <RoleSelect
            value={member.role}
            label={`Role of ${member.email}`}
            onChange={(next) =>
              void act("Could not change the role", () => api.put(path, { email: member.email, role: next }))
            }
          />
          <button
            type="button"
            className="icon-button small"
            aria-label={`Remove ${member.email}`}
            title="Remove"
            onClick={() =>
              void act("Could not remove", () => api.delete(path, { query: { email: member.email } }))
            }
          >
            <X size={13} />
          </button>
        </div>
      ))}
      <div className="share-link">
        <button
          type="button"
          className="button"
          onClick={() => {
            void copyText(location.href).then((copied) =>
              editor.toasts.show(
                copied
                  ? { tone: "done", title: "The address is copied" }
                  : { tone: "info", title: `Copy it by hand: ${location.href}` },
              ),
            );
          }}
        >
          <Link2 size={14} /> Copy the address
        </button>
        <span className="faint">Only the people above can open it.</span>
      </div>
    </Sheet>
  );
}

function RoleSelect({
  value,
  label,
  onChange,
}: {
  value: Role;
  label: string;
  onChange: (role: Role) => void;
}) {
  return (
    <select
      className="field role-select"
      aria-label={label}
      value={value}
      onChange={(event) => onChange(event.target.value as Role)}
    >
      {ROLES.map(([role, words]) => (
        <option key={role} value={role}>
          {role}: {words}
        </option>
      ))}
    </select>
  );
}
