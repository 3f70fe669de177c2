/** Make a share link: a way in for whoever has it. */
import { Link2 } from "lucide-react";
import { useState } from "react";
import type { Role } from "../../../protocol";
import { LINK_LIVES, LINK_ROLES, type Sharing } from "../../../sharing";
import { FreshLinkBox } from "./FreshLinkBox";
import { RoleSelect } from "./RoleSelect";

const DEFAULT_LIFE = 1;

export function MakeLink({ sharing }: { sharing: Sharing }) {
  const [role, setRole] = useState<Role>("viewer");
  const [life, setLife] = useState(DEFAULT_LIFE);
  const [busy, setBusy] = useState(false);
  const submit = async () => {
    setBusy(true);
    await sharing.makeLink(role, LINK_LIVES[life]?.[0] ?? null);
    setBusy(false);
  };
  return (
    <section className="share-part" aria-label="Share links">
      <h3>Share links</h3>
      <p className="faint">For whoever has the link and an account here.</p>
      <form
        className="inline-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <RoleSelect
          value={role}
          label="Role that the link gives"
          roles={LINK_ROLES}
          onChange={setRole}
          testid="link-role"
        />
        <select
          className="field grow"
          aria-label="How long the link is good"
          data-testid="link-life"
          value={life}
          onChange={(event) => setLife(Number(event.target.value))}
        >
          {LINK_LIVES.map(([, words], at) => (
            <option key={words} value={at}>
              {words}
            </option>
          ))}
        </select>
        <button type="submit" className="button" disabled={busy} data-testid="link-submit">
          <Link2 size={14} /> Make a link
        </button>
      </form>
      <FreshLinkBox sharing={sharing} kind="links" />
    </section>
  );
}
