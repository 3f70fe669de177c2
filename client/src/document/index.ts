/** The shared canvas. */

export { newId } from "../ids";
export { CanvasDocument } from "./canvas_document";
export { copyFragment } from "./copies";
export { PasteError } from "./errors";
export { FrozenDocument } from "./frozen_document";
export { spellToJson } from "./json";
export { EMPTY as EMPTY_SPELL } from "./snapshot";
export type * from "./types";
