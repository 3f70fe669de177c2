/** Spells as files in forms that the server writes and reads: YAML, Python and the others. */
import type { Answer, Asked, SpellJson } from "../protocol";
import type { Connection } from "../session";

/** The form of a file. */
export type Form = Asked<"spells.write">["as"];

/** Characters that one call of `String.fromCharCode` surely takes. */
const PIECE = 8192;

export class SpellForms {
  readonly #session: Connection;

  constructor(session: Connection) {
    this.#session = session;
  }

  /** A spell as a file; rejects with a ProtocolError. */
  write(spell: SpellJson, form: Form): Promise<Answer<"spells.write">> {
    return this.#session.request("spells.write", { spell: spell as never, as: form });
  }

  /** The spell in a file of any form, which is read and not run; rejects with a ProtocolError that says where it is wrong. */
  read(name: string, content: Uint8Array): Promise<Answer<"spells.read">> {
    return this.#session.request("spells.read", { name: name.slice(-255), data: toBase64(content) });
  }
}

/** Bytes in base64. */
export function toBase64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += PIECE)
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + PIECE)));
  return btoa(pieces.join(""));
}
