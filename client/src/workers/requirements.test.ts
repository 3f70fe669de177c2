/** Requirements are read as pip reads them, and what is not one says why. */
import { describe, expect, it, test } from "vitest";
import {
  canonicalName,
  isRequirementText,
  knownAs,
  readRequirement,
  readRequirements,
  tidySpecifier,
  whyNotName,
  whyNotSpecifier,
  writeRequirements,
} from "./requirements";

it.each(["pandas", "a", "Typing_Extensions", "zope.interface", "x2"])("takes %s for a name", (name) => {
  expect(whyNotName(name)).toBeNull();
});

it.each([
  ["", "needed"],
  ["a b", "spaces"],
  ["-a", "begins"],
  ["a/b", "“/”"],
  ["a".repeat(101), "100"],
])("takes %o for none, and says why", (name, why) => {
  expect(whyNotName(name)).toContain(why);
});

it.each([
  "",
  ">=2,<4",
  "==1.*",
  "[s3]>=1",
  "[a, b] ~= 1.4.2",
  "!=2.0rc1",
  "==1!2.0+local.1",
  "===whatever",
  ">=2; python_version < '3.13'",
])("takes %o for versions", (specifier) => {
  expect(whyNotSpecifier(specifier)).toBeNull();
});

it.each([
  ["2.0", "==2.0"],
  [">=2,", "comma"],
  [">=", "Begin with"],
  ["latest", "Begin with"],
  [">=2.*", "=="],
  ["==two", "no version"],
  ["[s3", "brackets"],
  ["@ https://example.org/a.whl", "Addresses"],
  [">=2;", "condition"],
])("says why %o are no versions", (specifier, why) => {
  expect(whyNotSpecifier(specifier)).toContain(why);
});

test("idle spaces are not kept", () => {
  expect(tidySpecifier(" [a , b] >= 2 , < 4 ")).toBe("[a,b]>=2,<4");
  expect(tidySpecifier(">= 2 ;python_version < '3.13'")).toBe(">=2; python_version < '3.13'");
  expect(tidySpecifier("; sys_platform == 'linux'")).toBe(";sys_platform == 'linux'");
});

describe("a pasted requirements.txt", () => {
  const text = [
    "# what we need",
    "pandas[excel] >= 2, < 4  # tables",
    "rich",
    "-r other.txt",
    "six==1.16.0 \\",
    "    --hash=sha256:abc",
    "tool @ https://example.org/t.whl",
    "Rich (>=13)",
  ].join("\r\n");
  const read = readRequirements(text);

  it("gives its packages, the last word on each", () => {
    expect(read.found).toEqual([
      { name: "pandas", specifier: "[excel]>=2,<4" },
      { name: "Rich", specifier: ">=13" },
      { name: "six", specifier: "==1.16.0" },
    ]);
  });

  it("says by line what it does not take", () => {
    expect(read.refused.map(({ text }) => text)).toEqual([
      "-r other.txt",
      "tool @ https://example.org/t.whl",
    ]);
    expect(read.refused[0]?.why).toContain("Options");
  });
});

test("what is written is read back", () => {
  const requirements = { rich: "", pandas: "[excel]>=2" };
  expect(writeRequirements(requirements)).toBe("pandas[excel]>=2\nrich\n");
  const { found } = readRequirements(writeRequirements(requirements));
  expect(Object.fromEntries(found.map(({ name, specifier }) => [name, specifier]))).toEqual(requirements);
});

test("one package has one name, however it is written", () => {
  expect(canonicalName("Typing_.Extensions")).toBe("typing-extensions");
  expect(knownAs({ "typing-extensions": "" }, "Typing_Extensions")).toBe("typing-extensions");
  expect(knownAs({ rich: "" }, "pandas")).toBeUndefined();
});

test("a whole requirement is told from a name", () => {
  expect(isRequirementText("pandas>=2")).toBe(true);
  expect(isRequirementText("a\nb")).toBe(true);
  expect(isRequirementText(" pandas ")).toBe(false);
});

test("one line is a requirement or says why not", () => {
  expect(readRequirement("pandas>=2")).toEqual({ name: "pandas", specifier: ">=2" });
  expect(readRequirement("?")).toContain("“?”");
});
