/** The secret of a webhook, shown this once, with how to send to it. */
import { Copy } from "lucide-react";
import { useState } from "react";
import { copyText } from "../../../app/copy_text";
import { curlOf, type FreshSecret as Fresh } from "../../../triggers";
import { Sheet } from "../Sheet";

interface FreshSecretProps {
  readonly fresh: Fresh;
  readonly onAway: () => void;
}

export function FreshSecret({ fresh, onAway }: FreshSecretProps) {
  const { trigger, secret } = fresh;
  return (
    <Sheet title={`Send to “${trigger.name}”`} onClose={onAway} testid="fresh-secret">
      <div className="trigger-form">
        <p>
          <strong>Copy the secret now.</strong> It is kept encrypted and is not shown again.
        </p>
        <Copied label="Secret" text={secret} testid="hook-secret" first />
        <Copied label="Address" text={trigger.url ?? ""} testid="hook-url" />
        <Copied label="Try it" text={`SECRET='${secret}'\n${curlOf(trigger)}`} testid="hook-curl" />
        <p className="faint">
          {trigger.settings.kind === "webhook" && trigger.settings.proof === "bearer"
            ? "Whoever has the secret can send anything, as often as they like: keep it where only the sender reads it."
            : "Signed as Standard Webhooks says: libraries for most languages do this. A message counts once, and within 5 minutes of when it was signed."}
        </p>
        <div className="sheet-foot">
          <span className="grow" />
          <button type="button" className="button primary" data-testid="fresh-away" onClick={onAway}>
            Put away
          </button>
        </div>
      </div>
    </Sheet>
  );
}

interface CopiedProps {
  readonly label: string;
  readonly text: string;
  readonly testid: string;
  readonly first?: boolean;
}

function Copied({ label, text, testid, first = false }: CopiedProps) {
  const [copied, setCopied] = useState(false);
  return (
    <div className="fresh-line">
      <span className="fresh-label">{label}</span>
      <code data-testid={testid}>{text}</code>
      <button
        type="button"
        className={`button small ${first ? "primary" : ""}`}
        data-first-field={first || undefined}
        aria-label={`Copy: ${label}`}
        onClick={() => void copyText(text).then(setCopied)}
      >
        <Copy size={12} /> {copied ? "Copied" : "Copy"}
      </button>
    </div>
  );
}
