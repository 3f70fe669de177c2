/** What the code of this canvas was allowed beyond its worker: the hosts and secrets by name, and the way to change them. */
import { Globe, KeyRound } from "lucide-react";
import { useEffect, useMemo, useState } from "react";
import { api } from "../../../api";
import { useStore } from "../../../store";
import { AccessDesk } from "../../../workers";
import { useEditor } from "../../hooks/useEditor";
import { Section } from "../Section";
import { GrantsSheet } from "./GrantsSheet";
import { SecretsSheet } from "./SecretsSheet";

export function AccessSection() {
  const editor = useEditor();
  const { canvas } = editor.document;
  const desk = useMemo(() => new AccessDesk(api, canvas), [canvas]);
  const [sheet, setSheet] = useState<"grants" | "secrets" | null>(null);
  useEffect(() => void desk.load(), [desk]);
  const access = useStore(desk.access);
  const hosts = access?.grants.filter(({ secret }) => secret === null) ?? [];
  const secrets = access?.grants.filter(({ secret }) => secret !== null) ?? [];
  return (
    <Section title="Access">
      <div className="access" data-testid="access">
        {access !== null && (
          <ul className="plain-list access-list">
            <li>
              <Globe size={13} aria-hidden="true" />
              {hosts.length === 0
                ? "Code reaches no host."
                : `Code reaches ${hosts.flatMap((each) => each.hosts).join(", ")}.`}
            </li>
            <li>
              <KeyRound size={13} aria-hidden="true" />
              {secrets.length === 0
                ? "Requests carry no secret."
                : `Requests may carry ${secrets.map(({ secret }) => secret).join(", ")}.`}
            </li>
          </ul>
        )}
        <div className="row-buttons">
          <button
            type="button"
            className="button small"
            data-testid="open-grants"
            onClick={() => setSheet("grants")}
          >
            <Globe size={12} /> Grants
          </button>
          <button
            type="button"
            className="button small"
            data-testid="open-secrets"
            onClick={() => setSheet("secrets")}
          >
            <KeyRound size={12} /> Secrets
          </button>
        </div>
      </div>
      {sheet === "grants" && <GrantsSheet desk={desk} onClose={() => setSheet(null)} />}
      {sheet === "secrets" && <SecretsSheet desk={desk} onClose={() => setSheet(null)} />}
    </Section>
  );
}
