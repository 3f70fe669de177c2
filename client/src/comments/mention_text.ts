/**
 * Mentions in a text.
 *
 * On the wire a mention is `@[NAME](user:ID)`. While a comment is written it is shown as `@NAME`, with the people
 * that were chosen kept beside it.
 */

/** Somebody whom a text may name, by the words that stand for them in it. */
export interface Person {
  readonly id: string;
  readonly name: string;
}

const TOKEN = /@\[([^[\]\n]{0,200})\]\(user:([0-9a-f]{32})\)/g;

/** The mention that is being written at the caret: where its `@` is, and what follows it; null when none is. */
export function mentionAt(text: string, caret: number): { from: number; query: string } | null {
  const before = text.slice(0, caret);
  const from = before.lastIndexOf("@");
  if (from < 0 || /[\p{L}\p{N}_]/u.test(before[from - 1] ?? "")) return null;
  const query = before.slice(from + 1);
  // One space may be in it, so that a first and a last name can be typed.
  return query.length > 40 || /[\n@]/.test(query) || /\s.*\s|^\s/.test(query) ? null : { from, query };
}

/** Those whose name, or a word of it, begins with the query. */
export function matching<P extends { readonly name: string; readonly email?: string }>(
  people: readonly P[],
  query: string,
): P[] {
  const wanted = query.toLowerCase();
  return people.filter(({ name, email }) => {
    const words = [name, ...name.split(/[\s.@_-]+/), email ?? ""];
    return words.some((word) => word.toLowerCase().startsWith(wanted));
  });
}

/** A name that stands for nobody else in the text, and cannot end a mention by itself. */
export function mentionName(person: Person & { email?: string }, chosen: readonly Person[]): string {
  const name = person.name.replace(/[[\]\n]/g, " ").trim() || "somebody";
  const taken = chosen.some((other) => other.id !== person.id && other.name === name);
  return taken && person.email ? `${name} (${person.email.split("@")[0]})` : name;
}

/** The text for the wire: every `@NAME` of somebody chosen becomes a mention of them. */
export function encodeMentions(text: string, people: readonly Person[]): string {
  const byName = new Map(people.map((person) => [person.name, person]));
  if (byName.size === 0) return text;
  const names = [...byName.keys()].sort((a, b) => b.length - a.length).map(escapeRegExp);
  const shown = new RegExp(`@(${names.join("|")})(?![\\p{L}\\p{N}_])`, "gu");
  return text.replace(shown, (_all, name: string) => `@[${name}](user:${byName.get(name)?.id})`);
}

/** The text as it is written, and whom it names, by the names they have now. */
export function decodeMentions(
  text: string,
  names: Readonly<Record<string, string>>,
): { text: string; people: Person[] } {
  const people: Person[] = [];
  const shown = text.replace(TOKEN, (_all, written: string, id: string) => {
    const known = people.find((person) => person.id === id);
    const name =
      known?.name ?? mentionName({ id, name: names[id] ?? written, email: `${id.slice(0, 4)}@` }, people);
    if (!known) people.push({ id, name });
    return `@${name}`;
  });
  return { text: shown, people };
}

/** The text as Markdown, mentions as links to `user:ID` with the names of now. */
export function mentionLinks(text: string, names: Readonly<Record<string, string>>): string {
  return text.replace(TOKEN, (_all, written: string, id: string) => {
    const name = (names[id] ?? written).replace(/[\\`*_{}[\]()#+\-.!<>|~]/g, "\\$&");
    return `[@${name}](user:${id})`;
  });
}

/** How a text begins, without the marks of Markdown; for one line of a list. */
export function plainWords(text: string): string {
  return text
    .replace(/^\s*(#{1,6}|>|[-*])\s+/gm, "")
    .replace(/\[([^\]\n]*)\]\([^)\n]*\)?/g, "$1")
    .replace(/\*\*|__|~~|`/g, "");
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
