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

/** A node that failed inside another: the way to it from there, its iterations left out, and what people call it. */
export interface Blamed {
  readonly way: readonly string[];
  readonly label: string;
}

/**
 * The node by which `owner` failed, if it was one inside. Paths begin at the canvas that was run; `deep`: `owner` was
 * itself inside another node then, so that of equal ids the last is meant.
 */
export function blamedNode(
  owner: string,
  details: Readonly<Record<string, unknown>> | null | undefined,
  deep = false,
): Blamed | null {
  const { path, node, label } = details ?? {};
  if (typeof path !== "string" || typeof node !== "string") return null;
  const steps = path.split("/").map((step) => step.replace(/\[\d+\]$/, ""));
  const outer = steps.slice(0, -1);
  const at = deep ? outer.lastIndexOf(owner) : outer.indexOf(owner);
  if (at < 0) return null;
  return { way: steps.slice(at + 1), label: typeof label === "string" && label !== "" ? label : node };
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
