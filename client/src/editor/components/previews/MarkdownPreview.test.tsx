/** What an editor writes keeps nobody from opening the canvas. */
import { renderToString } from "react-dom/server";
import { expect, test } from "vitest";
import MarkdownPreview from "./MarkdownPreview";

test.each(["> ".repeat(3_000), "- ".repeat(3_000), "**x".repeat(7_000)])(
  "a note that takes long to read as Markdown is shown as it was written: %.20s",
  (text) => {
    const html = renderToString(<MarkdownPreview text={text} place="note" />);
    expect(html).not.toMatch(/<(blockquote|ul|strong)/);
  },
);

test("a note is drawn as Markdown", () => {
  expect(renderToString(<MarkdownPreview text="> **now**" place="note" />)).toContain("<blockquote>");
});
