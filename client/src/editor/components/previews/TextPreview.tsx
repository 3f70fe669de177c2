/** Plain text; while it streams the last line stays in view, and long text is cut until asked for. */
import { useLayoutEffect, useRef, useState } from "react";

const SHOWN = { node: 4_000, panel: 60_000 } as const;

interface TextPreviewProps {
  readonly text: string;
  readonly place: "node" | "panel";
  readonly streaming?: boolean;
}

/** Keep a scrolling box at its end while `active`, unless the person scrolled up. */
export function useStickToEnd(content: unknown, active: boolean) {
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the content is what makes the box grow
  useLayoutEffect(() => {
    const element = box.current;
    if (!active || !element) return;
    const fromEnd = element.scrollHeight - element.scrollTop - element.clientHeight;
    if (fromEnd < 160) element.scrollTop = element.scrollHeight;
  }, [content, active]);
  return box;
}

export function TextPreview({ text, place, streaming = false }: TextPreviewProps) {
  const [whole, setWhole] = useState(false);
  const box = useStickToEnd(text, streaming);
  const limit = SHOWN[place];
  const cut = !whole && text.length > limit;
  const shown = !cut ? text : streaming ? text.slice(-limit) : text.slice(0, limit);
  if (text === "") return <div className="preview-empty">Empty text</div>;
  return (
    <div className="preview-text scroll nowheel" ref={box}>
      {shown}
      {streaming && <span className="caret" aria-hidden="true" />}
      {cut && !streaming && (
        <button type="button" className="link-button nodrag" onClick={() => setWhole(true)}>
          Show all {text.length.toLocaleString()} characters
        </button>
      )}
    </div>
  );
}
