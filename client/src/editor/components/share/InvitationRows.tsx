/** Open invitations or share links: how long they are good, who used them, and an end to them. */
import { Link2, Mail, RefreshCw, X } from "lucide-react";
import { type Invitation, type Sharing, timeLeft } from "../../../sharing";
import { useStore } from "../../../store";

interface InvitationRowsProps {
  readonly sharing: Sharing;
  readonly kind: "invitations" | "links";
}

export function InvitationRows({ sharing, kind }: InvitationRowsProps) {
  const items = useStore(sharing.state, (state) => state[kind]);
  if (items.length === 0) return null;
  return (
    <section
      className="share-part"
      aria-label={kind === "links" ? "Share links that are open" : "Pending invitations"}
      data-testid={`share-${kind}`}
    >
      {kind === "invitations" && <h3>Pending invitations</h3>}
      {items.map((item) => (
        <Row key={item.id} item={item} sharing={sharing} />
      ))}
    </section>
  );
}

function Row({ item, sharing }: { item: Invitation; sharing: Sharing }) {
  const what = item.email === null ? `the ${item.role} link` : `the invitation of ${item.email}`;
  return (
    <div
      className="card-row share-row"
      data-testid={`invitation-${item.email ?? item.role}`}
      data-state={item.state}
    >
      <span className="avatar plain" aria-hidden="true">
        {item.email === null ? <Link2 size={13} /> : <Mail size={13} />}
      </span>
      <span className="grow share-words">
        <span className="truncate">{item.email ?? `Link for ${item.role}s`}</span>
        <span className="faint truncate">{facts(item).join(" · ")}</span>
      </span>
      {item.state !== "open" && (
        <span
          className="badge"
          title={item.state === "void" ? `${item.by} may not invite any more` : undefined}
        >
          {item.state}
        </span>
      )}
      <button
        type="button"
        className="icon-button small"
        aria-label={`Make a new link for ${what}`}
        title="New link; the old one ends"
        onClick={() => void sharing.remake(item.id)}
      >
        <RefreshCw size={13} />
      </button>
      <button
        type="button"
        className="icon-button small"
        aria-label={`Revoke ${what}`}
        title="Revoke"
        onClick={() => void sharing.revoke(item.id)}
      >
        <X size={14} />
      </button>
    </div>
  );
}

function facts(item: Invitation): string[] {
  const left = item.state === "expired" ? [] : [timeLeft(item.expires_at, Date.now() / 1000)];
  const used = item.uses === 0 ? "not used yet" : `used ${item.uses === 1 ? "once" : `${item.uses} times`}`;
  return item.email === null ? [used, ...left, `by ${item.by}`] : [item.role, ...left, `by ${item.by}`];
}
