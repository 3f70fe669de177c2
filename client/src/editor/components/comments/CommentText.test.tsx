/** A comment is drawn as Markdown, and does nothing else: neither script, nor picture, nor a page that is gone. */
import { renderToString } from "react-dom/server";
import { expect, test } from "vitest";
import CommentText from "./CommentText";

const ID = "0123456789abcdef0123456789abcdef";

function drawn(text: string, names: Record<string, string> = {}): string {
  return renderToString(<CommentText text={text} names={names} />);
}

test("Markdown is drawn, and a mention has the name of now", () => {
  expect(drawn("**now**")).toContain("<strong>now</strong>");
  expect(drawn(`@[Old](user:${ID})`, { [ID]: "New *name*" })).toContain(
    '<span class="mention">@New *name*</span>',
  );
});

test.each([
  "[a](javascript:alert(1))",
  "[a](JaVaScRiPt:alert(1))",
  "[a](data:text/html,<script>alert(1)</script>)",
  "[a](vbscript:x)",
  "<javascript:alert(1)>",
  "[a][1]\n\n[1]: javascript:alert(1)",
  `[a](user:${ID}javascript:alert(1))`,
])("no link runs anything: %s", (text) => {
  const html = drawn(text);
  for (const [, href] of html.matchAll(/href="([^"]*)"/g)) expect(href).toBe("");
});

test("HTML stays text, and pictures are not fetched", () => {
  expect(drawn("<img src=x onerror=alert(1)><script>alert(1)</script>")).not.toMatch(/<(img|script)/);
  expect(drawn("![a](https://example.org/a.png)")).not.toContain("<img");
});

test.each(["> ", ">", "- ", "1. ", "> - "])("what nests thousands deep stays text: %s", (mark) => {
  const html = drawn(`Well,\n\n${mark.repeat(3_000)}a`);
  expect(html).toContain("<p>Well,");
  expect(html).not.toMatch(/<(blockquote|ul|ol)/);
});

test("a line across the page is no list in lists", () => {
  expect(drawn(`a\n\n${"-".repeat(80)}\n\nb`)).toContain("<hr/>");
});
