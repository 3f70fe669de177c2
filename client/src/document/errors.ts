/** What can go wrong with a document in this tab. */

/** The text is not something that can be pasted; the message says what is wrong with it. */
export class PasteError extends Error {
  override readonly name = "PasteError";
  readonly code = "not_a_spell";
}
