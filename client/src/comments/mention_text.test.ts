/** Mentions survive the way from what is typed to the wire and back, with the names of now. */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  decodeMentions,
  encodeMentions,
  matching,
  mentionAt,
  mentionLinks,
  mentionName,
  plainWords,
} from "./mention_text";

const ADA = { id: "a".repeat(32), name: "Ada Lovelace" };
const ADAM = { id: "b".repeat(32), name: "Ada" };

test.each([
  ["@gr", 3, { from: 0, query: "gr" }],
  ["Hi @ada lo", 10, { from: 3, query: "ada lo" }],
  ["(@", 2, { from: 1, query: "" }],
  ["Hi @ada, and", 4, { from: 3, query: "" }],
  ["ada@example.org", 15, null],
  ["@ada\nthen", 9, null],
  ["@ada lovelace then", 18, null],
  ["@ ada", 5, null],
  ["nobody", 6, null],
])("a mention is being written in %j at %d", (text, caret, expected) => {
  expect(mentionAt(text, caret)).toEqual(expected);
});

test("people are found by any word of their name, and by address", () => {
  const people = [
    { name: "Ada Lovelace", email: "countess@example.org" },
    { name: "Grace", email: "grace@example.org" },
  ];
  for (const query of ["ada", "LOVE", "count", "ada l"]) expect(matching(people, query)).toEqual([people[0]]);
  expect(matching(people, "")).toHaveLength(2);
  expect(matching(people, "lace")).toEqual([]);
});

test("the longer name wins, and a name within a word is none", () => {
  const text = encodeMentions("@Ada Lovelace, @Ada, @Adam", [ADAM, ADA]);
  expect(text).toBe(`@[Ada Lovelace](user:${ADA.id}), @[Ada](user:${ADAM.id}), @Adam`);
});

test("two people of one name are told apart", () => {
  const other = { id: "c".repeat(32), name: "Ada", email: "ada2@example.org" };
  expect(mentionName(other, [ADAM])).toBe("Ada (ada2)");
  expect(mentionName({ id: "d".repeat(32), name: "A[d]a" }, [])).toBe("A d a");
});

test("what was sent comes back as it was written, by the names of now", () => {
  const written = "See @Ada Lovelace and `@Nobody`";
  const sent = encodeMentions(written, [ADA]);
  expect(decodeMentions(sent, { [ADA.id]: ADA.name })).toEqual({ text: written, people: [ADA] });
  const renamed = decodeMentions(sent, { [ADA.id]: "Countess" });
  expect(renamed.text).toBe("See @Countess and `@Nobody`");
  expect(encodeMentions(renamed.text, renamed.people)).toContain(`@[Countess](user:${ADA.id})`);
});

test("any text with any people comes back the same", () => {
  const id = fc
    .array(fc.constantFrom(..."0123456789abcdef"), { minLength: 32, maxLength: 32 })
    .map((digits) => digits.join(""));
  const name = fc
    .string({ minLength: 1, maxLength: 12 })
    .map((text) => mentionName({ id: "", name: text }, []));
  const person = fc.record({ id, name });
  const people = fc.uniqueArray(person, { selector: (one) => one.name, maxLength: 4 });
  fc.assert(
    fc.property(people, fc.array(fc.string({ maxLength: 8 }), { maxLength: 5 }), (chosen, words) => {
      fc.pre(new Set(chosen.map((one) => one.id)).size === chosen.length);
      const written = chosen.map((one, index) => `${words[index] ?? ""} @${one.name} `).join("");
      fc.pre(!written.includes("](user:"));
      const sent = encodeMentions(written, chosen);
      const names = Object.fromEntries(chosen.map((one) => [one.id, one.name]));
      expect(decodeMentions(sent, names).text).toBe(written);
    }),
  );
});

test("as Markdown a mention is a link to the user, and its name stays a text", () => {
  const text = `@[Old](user:${ADA.id}) and **bold**`;
  expect(mentionLinks(text, { [ADA.id]: "A*d*a" })).toBe(`[@A\\*d\\*a](user:${ADA.id}) and **bold**`);
  expect(mentionLinks(text, {})).toBe(`[@Old](user:${ADA.id}) and **bold**`);
});

test("a line of a list has no marks of Markdown", () => {
  expect(plainWords("# Why **42**?\n- see `x`, [here](https://a.b)")).toBe("Why 42?\nsee x, here");
});
