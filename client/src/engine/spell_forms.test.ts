/** Files go to the server whole, and come back as it wrote them. */
import { expect, it, vi } from "vitest";
import type { Connection } from "../session";
import { SpellForms, toBase64 } from "./spell_forms";

it("sends a file's bytes as they are, and its name's end", async () => {
  const request = vi.fn(async () => ({ form: "yaml", spell: {}, problems: [] }));
  const forms = new SpellForms({ request } as unknown as Connection);
  const bytes = Uint8Array.from({ length: 30_000 }, (_, index) => index % 256);
  await forms.read(`${"x".repeat(300)}.yaml`, bytes);
  const [event, sent] = request.mock.calls[0] as unknown as [string, { name: string; data: string }];
  expect(event).toBe("spells.read");
  expect(sent.name).toBe(`${"x".repeat(250)}.yaml`);
  expect(Uint8Array.from(atob(sent.data), (each) => each.charCodeAt(0))).toEqual(bytes);
});

it("has base64 of nothing", () => {
  expect(toBase64(new Uint8Array())).toBe("");
});
