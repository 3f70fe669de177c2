// Runs one graph on Observable's runtime and prints {"runs": [ms], "build": [ms], "results": [...]}.
// Usage: node bench.js GRAPH.json ROUNDS [ROOT]. A warm run redefines nothing but the first nodes: they
// change, and every node that depends on them is computed again. With ROOT only that node changes, each
// time to another value, and "results" are those after the last change to ROUNDS. GRAPH may be
// {"waits": N, "ms": MS} instead: N nodes that wait side by side.
import {readFileSync} from "node:fs";
import {Runtime} from "@observablehq/runtime";

const graph = JSON.parse(readFileSync(process.argv[2], "utf8"));
const rounds = Number(process.argv[3]);
const root = process.argv[4] === undefined ? null : Number(process.argv[4]);
const sourcesOf = Array.isArray(graph) ? graph : Array.from({length: graph.waits}, () => []);
const name = (index) => `n${index}`;
const add = (...values) => values.reduce((sum, value) => sum + value, 0) + 1;
const wait = () => new Promise((resolve) => setTimeout(resolve, graph.ms, graph.ms));
const call = Array.isArray(graph) ? add : wait;

const results = new Array(sourcesOf.length);
let missing = 0;
let finish = () => {};

const began = performance.now();
const runtime = new Runtime();
const main = runtime.module();
const variables = sourcesOf.map((sources, index) => {
  const variable = main.variable({
    fulfilled(value) {
      results[index] = value;
      if (--missing === 0) finish();
    },
  });
  return variable.define(name(index), sources.map(name), call);
});
const build = performance.now() - began;

const first = sourcesOf.flatMap((sources, index) => (sources.length ? [] : [index]));
const reached = new Set([root]);
sourcesOf.forEach((sources, index) => {
  if (sources.some((source) => reached.has(source))) reached.add(index);
});

async function run(change) {
  missing = root === null ? sourcesOf.length : reached.size;
  const done = new Promise((resolve) => (finish = resolve));
  const start = performance.now();
  change();
  await done;
  return performance.now() - start;
}

missing = sourcesOf.length;
await new Promise((resolve) => (finish = resolve));
const runs = [];
for (let round = 1; round <= rounds; round++) {
  runs.push(
    await run(() => {
      if (root !== null) variables[root].define(name(root), [], () => round + 1);
      else for (const index of first) variables[index].define(name(index), [], call);
    }),
  );
}
console.log(JSON.stringify({runs, build, results}));
runtime.dispose();
