/** The text of a field while somebody types in it: kept as it was typed, sound or not, without losing the caret. */
import { useMemo, useState } from "react";

export interface Typed {
  /** What the field shows. */
  readonly text: string;
  readonly type: (text: string) => void;
  /** To be called as the field gets and loses the focus. */
  readonly onFocus: () => void;
  readonly onBlur: () => void;
}

/** `text` is what the document says: shown to whoever does not type, or may not type any more. */
export function useTyped(text: string, disabled: boolean): Typed {
  const [typed, setTyped] = useState<string | null>(null);
  if (disabled && typed !== null) setTyped(null);
  return useMemo(
    () => ({
      text: disabled ? text : (typed ?? text),
      type: setTyped,
      onFocus: () => setTyped(text),
      onBlur: () => setTyped(null),
    }),
    [text, typed, disabled],
  );
}
