/** The people who have a role here; owners change and remove, everybody may leave. */
import { LogOut, X } from "lucide-react";
import { useState } from "react";
import { type Member, ROLES, type Sharing } from "../../../sharing";
import { useStore } from "../../../store";
import { initials } from "../PresenceBar";
import { RoleSelect } from "./RoleSelect";

interface MemberRowsProps {
  readonly sharing: Sharing;
  readonly owner: boolean;
  /** The id of the person at this tab. */
  readonly self: string;
  readonly onLeft: () => void;
}

export function MemberRows({ sharing, owner, self, onLeft }: MemberRowsProps) {
  const members = useStore(sharing.state, (state) => state.members);
  const failed = useStore(sharing.failure) !== null;
  if (members === null) return failed ? null : <p className="faint">Looking who is here…</p>;
  return (
    <section className="share-part" aria-label="People" data-testid="share-members">
      {owner && <h3>People</h3>}
      {members.map((member) => (
        <div className="card-row share-row" key={member.user_id} data-testid={`member-${member.email}`}>
          <span className="avatar plain" aria-hidden="true">
            {initials(member.name || member.email)}
          </span>
          <span className="grow share-words">
            <span className="truncate">
              {member.name || member.email}
              {member.user_id === self && <span className="faint"> · you</span>}
            </span>
            <span className="faint truncate">{member.email}</span>
          </span>
          {owner ? (
            <RoleSelect
              value={member.role}
              label={`Role of ${member.email}`}
              onChange={(role) => void sharing.setRole(member.email, role)}
            />
          ) : (
            <span className="badge" title={ROLES.find(([role]) => role === member.role)?.[1]}>
              {member.role}
            </span>
          )}
          {member.user_id === self ? (
            <LeaveButton sharing={sharing} member={member} onLeft={onLeft} />
          ) : (
            owner && (
              <button
                type="button"
                className="icon-button small"
                aria-label={`Remove ${member.email}`}
                title="Remove from the canvas"
                onClick={() => void sharing.remove(member.email)}
              >
                <X size={14} />
              </button>
            )
          )}
        </div>
      ))}
    </section>
  );
}

/** Asks once more: who leaves cannot let themselves in again. */
function LeaveButton({ sharing, member, onLeft }: { sharing: Sharing; member: Member; onLeft: () => void }) {
  const [sure, setSure] = useState(false);
  const leave = async () => {
    if (!sure) setSure(true);
    else if (await sharing.remove(member.email)) onLeft();
  };
  return (
    <button
      type="button"
      className={sure ? "button danger" : "icon-button small"}
      aria-label={sure ? "Leave this canvas for good" : "Leave this canvas"}
      title="Leave this canvas"
      data-testid="share-leave"
      data-sure={sure}
      onBlur={() => setSure(false)}
      onClick={() => void leave()}
    >
      <LogOut size={13} /> {sure && "Leave?"}
    </button>
  );
}
