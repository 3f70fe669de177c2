/** Keys find their command on every keyboard, and no two commands share one. */
import { describe, expect, it } from "vitest";
import { COMMANDS, isMeant, type KeyPress, keyCaps, matchesKeys } from "./commands";

function press(key: string, held: Partial<KeyPress> = {}): KeyPress {
  return { key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held };
}

describe("keys", () => {
  it.each([
    ["Mod+Enter", press("Enter", { ctrlKey: true }), false, true],
    ["Mod+Enter", press("Enter", { metaKey: true }), true, true],
    ["Mod+Enter", press("Enter", { ctrlKey: true, shiftKey: true }), false, false],
    ["Mod+Shift+Z", press("Z", { ctrlKey: true, shiftKey: true, code: "KeyZ" }), false, true],
    ["Mod+Z", press("Z", { ctrlKey: true, shiftKey: true, code: "KeyZ" }), false, false],
    ["?", press("?", { shiftKey: true }), false, true],
    [".", press("."), false, true],
    ["Shift+L", press("L", { shiftKey: true, code: "KeyL" }), false, true],
    ["Alt+A", press("å", { altKey: true, code: "KeyA" }), true, true],
    ["L", press("l", { ctrlKey: true, code: "KeyL" }), false, false],
  ])("%s", (keys, event, mac, expected) => {
    expect(matchesKeys(event, keys, mac)).toBe(expected);
  });

  it("belong to one command each", () => {
    const all = COMMANDS.flatMap((command) => command.keys);
    expect(new Set(all).size).toBe(all.length);
  });

  it("are written as on the keyboard in front of the person", () => {
    expect(keyCaps("Mod+Shift+Z", true)).toEqual(["⌘", "⇧", "Z"]);
    expect(keyCaps("Mod+Enter", false)).toEqual(["Ctrl", "↵"]);
  });
});

it.each([
  ["download yaml", "export-yaml"],
  ["yaml export", "export-yaml"],
  ["open file", "import"],
  ["cancel", "stop"],
])("%s finds the command %s", (query, id) => {
  expect(COMMANDS.filter((command) => isMeant(command, query)).map((command) => command.id)).toContain(id);
});
