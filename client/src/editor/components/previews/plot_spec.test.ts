/** A plot that somebody else wrote cannot reach out of the page. */
import { describe, expect, it } from "vitest";
import { closedLoader, embeddable } from "./plot_spec";

describe("a plot's spec", () => {
  it("fetches nothing, wherever it is", async () => {
    const loader = closedLoader();
    for (const address of ["https://example.org/a.json", "/v1/canvases", "data.csv", "file:///etc/passwd"]) {
      await expect(loader.load(address)).rejects.toThrow("not fetched");
    }
  });

  it("may link to web pages and show pictures it carries, and nothing else", async () => {
    const loader = closedLoader();
    const link = { context: "href" } as never;
    expect(await loader.sanitize("https://example.org", link)).toMatchObject({ rel: "noopener noreferrer" });
    for (const address of ["javascript:alert(1)", "data:text/html,x", " javascript:alert(1)"]) {
      await expect(loader.sanitize(address, link)).rejects.toThrow();
    }
    const picture = { context: "image" } as never;
    expect(await loader.sanitize("data:image/png;base64,AA==", picture)).toHaveProperty("href");
    await expect(loader.sanitize("https://example.org/track.png", picture)).rejects.toThrow();
  });

  it("does not overrule how the page embeds it", () => {
    expect(embeddable({ mark: "bar", usermeta: { embedOptions: { actions: true } } })).toEqual({
      mark: "bar",
    });
  });
});
