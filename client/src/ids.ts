/** Ids of things on a canvas: letters and digits, told apart without asking the server. */

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";

/** A new random id of 12 characters (62 bits): unlikely to meet its like on one canvas. */
export function newId(): string {
  const random = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(random, (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

/**
 * The id of a wire between two ports. It follows from the ports, so that two people who draw the same wire at
 * once draw one wire.
 */
export function wireId(source: string, output: string, target: string, input: string): string {
  return `w${fnv1a([source, output, target, input].join("\u0000"))}`;
}

/** FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/), in base 36. */
function fnv1a(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(36);
}
