/** The shared canvas. */
export { CanvasDocument } from "./canvas_document";
export { PasteError } from "./errors";
export { newId } from "./ids";
export { spellToJson } from "./json";
export { EMPTY as EMPTY_SPELL } from "./snapshot";
export type * from "./types";
