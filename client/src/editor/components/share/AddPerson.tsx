/** Add somebody by their address: a member at once, or an invitation where there is no account yet. */
import { UserPlus } from "lucide-react";
import { useState } from "react";
import type { Role } from "../../../protocol";
import type { Sharing } from "../../../sharing";
import { useStore } from "../../../store";
import { FreshLinkBox } from "./FreshLinkBox";
import { RoleSelect } from "./RoleSelect";

export function AddPerson({ sharing }: { sharing: Sharing }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("editor");
  const [busy, setBusy] = useState(false);
  const newPeople = useStore(sharing.state, (state) => state.newPeople);
  const submit = async () => {
    setBusy(true);
    if (await sharing.invite(email.trim(), role)) setEmail("");
    setBusy(false);
  };
  return (
    <section className="share-part" aria-label="Add people">
      <form
        className="inline-form"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <input
          className="field grow"
          type="email"
          required
          autoComplete="off"
          placeholder="Email address"
          aria-label="Email"
          data-testid="share-email"
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
        <RoleSelect value={role} label="Role" onChange={setRole} />
        <button type="submit" className="button primary" disabled={busy} data-testid="share-submit">
          <UserPlus size={14} /> Add
        </button>
      </form>
      <p className="faint">
        {newPeople
          ? "Whoever has no account yet gets an invitation, good for 7 days. No mail is sent: you hand on its link."
          : "Only people with an account here. For others, ask an administrator."}
      </p>
      <FreshLinkBox sharing={sharing} kind="invitations" />
    </section>
  );
}
