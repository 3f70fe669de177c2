/** Markdown as it reads. HTML in it stays text; links open in a new tab and tell no one where they came from. */
import Markdown from "react-markdown";
import remarkGfm from "remark-gfm";
import { nestsDeep } from "../../store/deep_markdown";
import { useStickToEnd } from "./TextPreview";

const PLUGINS = [remarkGfm];

/** Characters of a note that are read as Markdown: all notes are drawn when a canvas is opened. */
const MAX_NOTE = 20_000;

const COMPONENTS = {
  a: ({ href, children }: { href?: string | undefined; children?: React.ReactNode }) => (
    <a href={href} target="_blank" rel="noreferrer noopener" className="nodrag">
      {children}
    </a>
  ),
};

interface MarkdownPreviewProps {
  readonly text: string;
  readonly place: "node" | "panel" | "note";
  readonly streaming?: boolean;
}

export default function MarkdownPreview({ text, place, streaming = false }: MarkdownPreviewProps) {
  const box = useStickToEnd(text, streaming);
  return (
    <div className={`preview-markdown prose scroll ${place === "note" ? "" : "nowheel"}`} ref={box}>
      {nestsDeep(text) || (place === "note" && text.length > MAX_NOTE) ? (
        text
      ) : (
        <Markdown remarkPlugins={PLUGINS} components={COMPONENTS}>
          {text}
        </Markdown>
      )}
    </div>
  );
}
