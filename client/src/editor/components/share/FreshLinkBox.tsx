/** A link that was just made: shown this once, to be copied and handed on. */
import { Check, Copy, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { copyText } from "../../../app/copy_text";
import type { FreshLink, Sharing } from "../../../sharing";
import { useStore } from "../../../store";

interface FreshLinkBoxProps {
  readonly sharing: Sharing;
  readonly kind: "invitations" | "links";
}

export function FreshLinkBox({ sharing, kind }: FreshLinkBoxProps) {
  const fresh = useStore(sharing.fresh);
  if (fresh === null || (fresh.email === null) !== (kind === "links")) return null;
  return <Box key={fresh.url} fresh={fresh} onAway={() => sharing.putAway()} />;
}

function Box({ fresh, onAway }: { fresh: FreshLink; onAway: () => void }) {
  const [copied, setCopied] = useState<"yes" | "refused" | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const copyButton = useRef<HTMLButtonElement>(null);
  useEffect(() => copyButton.current?.focus(), []);
  const copy = async () => {
    const done = await copyText(fresh.url);
    setCopied(done ? "yes" : "refused");
    if (!done) field.current?.select();
  };
  const words =
    fresh.email === null
      ? "Whoever has this link and an account here can use it."
      : `Send this link to ${fresh.email}: it works once, for that address.`;
  return (
    <div className="fresh-link" data-testid="fresh-link">
      <p>
        <strong>Copy it now.</strong> {words} It is not shown again.
      </p>
      <div className="fresh-link-row">
        <input
          ref={field}
          className="field mono grow"
          readOnly
          aria-label="The link"
          data-testid="fresh-link-url"
          value={fresh.url}
          onFocus={(event) => event.target.select()}
        />
        <button ref={copyButton} type="button" className="button primary" onClick={() => void copy()}>
          {copied === "yes" ? <Check size={14} /> : <Copy size={14} />} {copied === "yes" ? "Copied" : "Copy"}
        </button>
        <button
          type="button"
          className="icon-button small"
          aria-label="Put the link away"
          title="Put away"
          onClick={onAway}
        >
          <X size={14} />
        </button>
      </div>
      <p role="status" className="faint">
        {copied === "refused" && "The browser does not let the page copy: copy the marked link by hand."}
      </p>
    </div>
  );
}
