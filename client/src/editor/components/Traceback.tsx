/** A traceback in which the lines of the cell lead to their place in its code. */
import { Fragment } from "react";
import { useEditor } from "../hooks/useEditor";

const CELL_LINE = /^cell line (\d+)/;

export function Traceback({ node, text }: { node: string; text: string }) {
  const editor = useEditor();
  return (
    <pre className="scroll">
      {text.split("\n").map((line, index) => {
        const found = CELL_LINE.exec(line)?.[0];
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: the lines of a text that does not change
          <Fragment key={index}>
            {found ? (
              <>
                <button
                  type="button"
                  className="source-link"
                  onClick={() => editor.pointed.set({ node, line: Number(found.slice(10)) })}
                >
                  {found}
                </button>
                {line.slice(found.length)}
              </>
            ) : (
              line
            )}
            {"\n"}
          </Fragment>
        );
      })}
    </pre>
  );
}
