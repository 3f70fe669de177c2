/** Requirements as people write them: a package's name, its extras and its versions, read as pip reads them. */

/** Packages a canvas needs: what versions of each, by name; "" is any. */
export type Requirements = Readonly<Record<string, string>>;

/** One package that is asked for. */
export interface Requirement {
  readonly name: string;
  /** Extras, versions and a condition, as `[s3]>=2,<4; python_version<"3.13"`; "" is any version. */
  readonly specifier: string;
}

/** A line of a pasted file that is no requirement, and why. */
export interface RefusedLine {
  readonly line: number;
  readonly text: string;
  readonly why: string;
}

/** What a pasted text holds. */
export interface PastedRequirements {
  readonly found: readonly Requirement[];
  readonly refused: readonly RefusedLine[];
}

const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;
const EXTRAS = /^\[\s*[A-Za-z0-9._-]+(?:\s*,\s*[A-Za-z0-9._-]+)*\s*\]/;
const OPERATORS = "~=, ==, !=, <=, >=, < or >";
const CLAUSE = /^(===|~=|==|!=|<=|>=|<|>)\s*([^\s=<>!~]\S*)$/;
/** A version, loosely: the server's resolver knows the rest (PEP 440). */
const VERSION = /^v?(?:\d+!)?\d+(?:\.\d+)*(?:[-_.]?[a-z]+[-_.]?\d*)*(?:-\d+)?(?:\+[a-z0-9.]+)?$/i;
const STARRED = /^v?(?:\d+!)?\d+(?:\.\d+)*\.\*$/i;
const LONGEST = 300;

/** The name by which an index knows a package: `Typing_Extensions` and `typing-extensions` are one. */
export function canonicalName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

/** Why a text is no package's name; null when it is one. */
export function whyNotName(name: string): string | null {
  if (name === "") return "A package's name is needed";
  if (name.length > 100) return "A name has at most 100 characters";
  if (NAME.test(name)) return null;
  const strange = /[^A-Za-z0-9._-]/.exec(name)?.[0];
  return strange
    ? `A name has no ${strange === " " ? "spaces" : `“${strange}”`}: letters, digits, “.”, “-” and “_”`
    : "A name begins and ends with a letter or a digit";
}

/** Why a text says no versions; null when it does. Empty is any version. */
export function whyNotSpecifier(specifier: string): string | null {
  if (specifier.length > LONGEST) return `At most ${LONGEST} characters`;
  if (specifier.includes("@") || specifier.includes("://"))
    return "Addresses are not taken: only versions from the index";
  const [asked = "", ...condition] = specifier.trim().split(";");
  if (condition.length > 0 && condition.join(";").trim() === "") return "A condition is missing after “;”";
  const extras = EXTRAS.exec(asked);
  if (asked.startsWith("[") && !extras) return "Extras are names in brackets: [s3,http]";
  const rest = asked.slice(extras?.[0].length ?? 0).trim();
  if (rest === "") return null;
  for (const clause of rest.split(",")) {
    const why = whyNotClause(clause.trim());
    if (why) return why;
  }
  return null;
}

function whyNotClause(clause: string): string | null {
  if (clause === "") return "Something is missing beside a comma";
  const parts = CLAUSE.exec(clause);
  if (!parts) return /^\d/.test(clause) ? `Say which: ==${clause} or >=${clause}` : `Begin with ${OPERATORS}`;
  const [, operator = "", version = ""] = parts;
  if (operator === "===") return null;
  if (STARRED.test(version))
    return operator === "==" || operator === "!=" ? null : `“.*” goes with == and != alone`;
  return VERSION.test(version) ? null : `“${version}” is no version`;
}

/** A specifier as it is kept: without idle spaces. */
export function tidySpecifier(specifier: string): string {
  const [asked = "", ...condition] = specifier.trim().split(";");
  const tidy = asked.replace(/\s*([,[\]])\s*/g, "$1").replace(/(===|~=|==|!=|<=|>=|<|>)\s+/g, "$1");
  return [tidy.trim(), ...condition.map((each) => each.trim())].join("; ").replace(/^; /, ";");
}

/** Read one requirement, as `pandas[excel]>=2,<4`; a text when it is none. */
export function readRequirement(text: string): Requirement | string {
  const name = /^[A-Za-z0-9][A-Za-z0-9._-]*/.exec(text.trim())?.[0] ?? "";
  const rest = text.trim().slice(name.length).trim();
  const bare = rest.startsWith("(") && rest.endsWith(")") ? rest.slice(1, -1) : rest;
  const why = whyNotName(name || text.trim()) ?? whyNotSpecifier(bare);
  return why ?? { name, specifier: tidySpecifier(bare) };
}

/** Read a requirements.txt, or any text with one requirement on each line. Options and addresses are refused by line. */
export function readRequirements(text: string): PastedRequirements {
  const found = new Map<string, Requirement>();
  const refused: RefusedLine[] = [];
  const lines = text.replace(/\\\r?\n/g, " ").split(/\r?\n/);
  for (const [index, whole] of lines.entries()) {
    const line = whole
      .replace(/(^|\s)#.*$/, "")
      .replace(/\s--hash[=\s]\S+/g, "")
      .trim();
    if (line === "") continue;
    const read = line.startsWith("-") ? "Options are not taken, only packages" : readRequirement(line);
    if (typeof read === "string") refused.push({ line: index + 1, text: line, why: read });
    else found.set(canonicalName(read.name), read);
  }
  return { found: [...found.values()], refused };
}

/** Whether a text that is pasted into a name is rather a whole requirement, or several. */
export function isRequirementText(text: string): boolean {
  return /[\n=<>~[]/.test(text.trim());
}

/** The requirements as a requirements.txt, by name. */
export function writeRequirements(requirements: Requirements): string {
  return Object.keys(requirements)
    .sort()
    .map((name) => `${name}${requirements[name]}\n`)
    .join("");
}

/** The name under which a package is already asked for; undefined when it is not. */
export function knownAs(requirements: Requirements, name: string): string | undefined {
  const wanted = canonicalName(name);
  return Object.keys(requirements).find((known) => canonicalName(known) === wanted);
}
