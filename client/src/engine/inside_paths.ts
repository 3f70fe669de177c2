/** Keys of what nodes run inside themselves: `sub/inner`, `map[3]/inner`; and how far such a node came. */
import type { Rounds } from "./types";

/** Whether a key names something inside another node. */
export function isInside(path: string): boolean {
  return path.includes("/") || path.includes("[");
}

/** Which iteration of `owner` a key belongs to (null: it has none), and what it is there; null for all else. */
export function placeIn(owner: string, path: string): { index: number | null; rest: string } | null {
  if (!path.startsWith(owner)) return null;
  const after = path.slice(owner.length);
  const [, index, rest] = /^(?:\[(\d+)\])?\/(.+)$/s.exec(after) ?? [];
  return rest === undefined ? null : { index: index === undefined ? null : Number(index), rest };
}

/** The iteration that a failure's path leads to, seen from `owner`. */
export function iterationOf(owner: string, path: unknown): number | null {
  return typeof path === "string" ? (placeIn(owner, path)?.index ?? null) : null;
}

/** What an owner's progress tells: `3 of 10, 1 failed`; `round 4` while that goes on, `4 rounds` when all are done. */
export function roundsIn(message: string | null | undefined): Rounds | null {
  const [, done, total, failed] = /^(\d+) of (\d+)(?:, (\d+) failed)?$/.exec(message ?? "") ?? [];
  if (done !== undefined) return { done: Number(done), total: Number(total), failed: Number(failed ?? 0) };
  const [, all] = /^(\d+) rounds?$/.exec(message ?? "") ?? [];
  if (all !== undefined) return { done: Number(all), total: null, failed: 0 };
  const [, round] = /^round (\d+)$/.exec(message ?? "") ?? [];
  return round === undefined ? null : { done: Number(round) - 1, total: null, failed: 0 };
}
