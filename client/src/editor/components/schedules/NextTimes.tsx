/** When a schedule would be due, before it is kept. */
import { useEffect, useState } from "react";
import { type Faults, type TriggerDraft, timedOf, timeWords } from "../../../triggers";
import { useTriggerDesk } from "../../hooks/useTriggerDesk";

/** Milliseconds of rest after a keystroke until the times are asked for. */
const REST_MS = 250;

export function NextTimes({ draft }: { readonly draft: TriggerDraft }) {
  const desk = useTriggerDesk();
  const [found, setFound] = useState<readonly number[] | Faults | null>(null);
  const asked = JSON.stringify(timedOf(draft));
  useEffect(() => {
    const settings = JSON.parse(asked) as ReturnType<typeof timedOf>;
    if (settings === null) return setFound(null);
    let here = true;
    const timer = setTimeout(() => {
      void desk.preview(settings).then((answer) => here && setFound(answer));
    }, REST_MS);
    return () => {
      here = false;
      clearTimeout(timer);
    };
  }, [asked, desk]);
  if (found === null) return null;
  if (!isTimes(found))
    return (
      <p className="field-error" role="status" data-testid="next-fault">
        {Object.values(found)[0]}
      </p>
    );
  return (
    <div className="next-times" role="status" data-testid="next-times">
      <span className="faint">Next, where you are</span>
      <ol>
        {found.map((time) => (
          <li key={time}>{timeWords(time)}</li>
        ))}
      </ol>
    </div>
  );
}

function isTimes(found: readonly number[] | Faults): found is readonly number[] {
  return Array.isArray(found);
}
