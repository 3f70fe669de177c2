/** The colour of a person: the one the server gave them while they are here, else their own. */
import type { Person } from "../../document";

/** The server's list (`rooms/presence.py`), for people who are not here. */
const COLOURS = [
  "#0b6bcb",
  "#a8348a",
  "#b04a00",
  "#5b4fc4",
  "#8a6100",
  "#b3262e",
  "#2f7a3d",
  "#0e7490",
  "#7a4b9d",
  "#6b5d52",
];

/** The colour of `user`, the same in all tabs. */
export function personColour(user: string, here: readonly Person[] = []): string {
  const person = here.find((one) => one.user === user);
  if (person) return person.color;
  let sum = 7;
  for (let index = 0; index < user.length; index += 1) sum = (sum * 31 + user.charCodeAt(index)) >>> 0;
  return COLOURS[sum % COLOURS.length] ?? "#0b6bcb";
}
