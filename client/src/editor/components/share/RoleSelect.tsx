/** A role to choose, with what it allows. */
import type { Role } from "../../../protocol";
import { ROLES } from "../../../sharing";

interface RoleSelectProps {
  readonly value: Role;
  readonly label: string;
  readonly onChange: (role: Role) => void;
  /** All, unless given. */
  readonly roles?: readonly [role: Role, may: string][];
  readonly testid?: string;
}

export function RoleSelect({ value, label, onChange, roles = ROLES, testid }: RoleSelectProps) {
  return (
    <select
      className="field role-select"
      aria-label={label}
      data-testid={testid}
      value={value}
      onChange={(event) => onChange(event.target.value as Role)}
    >
      {roles.map(([role, may]) => (
        <option key={role} value={role}>
          {role}: {may}
        </option>
      ))}
    </select>
  );
}
