/** A colour for each person on the canvas: dark enough for white letters, and no two alike while there are few. */

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

function start(id: string): number {
  let sum = 7;
  for (let index = 0; index < id.length; index += 1) sum = (sum * 31 + id.charCodeAt(index)) >>> 0;
  return sum % COLOURS.length;
}

/** The colour of `user` among all who are here; each starts from their id and steps aside from those before them. */
export function personColour(user: string, here: Iterable<string>): string {
  const taken = new Set<number>();
  for (const id of [...new Set([...here, user])].sort()) {
    let place = start(id);
    for (let tries = 0; taken.has(place) && tries < COLOURS.length; tries += 1)
      place = (place + 1) % COLOURS.length;
    taken.add(place);
    if (id === user) return COLOURS[place] ?? "#0b6bcb";
  }
  return "#0b6bcb";
}
