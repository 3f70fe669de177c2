/** Markdown that is better not read as such. */

/**
 * Quotes in quotes, or lists in lists, on one line. Thousands take seconds to read, more stack than there is to
 * draw, and so could keep everybody from opening what somebody wrote.
 */
const DEEP = /^[ \t]*(?:>[ \t]?|[-*+][ \t]+|\d{1,9}[.)][ \t]+){30}/m;

/** Whether a text nests so deep that it is shown as it was written. */
export function nestsDeep(text: string): boolean {
  return DEEP.test(text);
}
