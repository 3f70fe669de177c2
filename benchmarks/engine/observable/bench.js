// Runs one graph on Observable's runtime and prints {"runs": [ms], "build": [ms], "results": [...]}.
// Usage: node bench.js GRAPH.json ROUNDS. A warm run redefines nothing: the first nodes change, and
// every node that depends on them is computed again.
import {readFileSync} from "node:fs";
import {Runtime} from "@observablehq/runtime";

const graph = JSON.parse(readFileSync(process.argv[2], "utf8"));
const rounds = Number(process.argv[3]);
const name = (index) => `n${index}`;
const add = (...values) => values.reduce((sum, value) => sum + value, 0) + 1;

const results = new Array(graph.length);
let missing = 0;
let finish = () => {};

const began = performance.now();
const runtime = new Runtime();
const main = runtime.module();
const variables = graph.map((sources, index) => {
  const variable = main.variable({
    fulfilled(value) {
      results[index] = value;
      if (--missing === 0) finish();
    },
  });
  return variable.define(name(index), sources.map(name), add);
});
const build = performance.now() - began;

const first = graph.flatMap((sources, index) => (sources.length ? [] : [index]));

async function run() {
  missing = graph.length;
  const done = new Promise((resolve) => (finish = resolve));
  const start = performance.now();
  for (const index of first) variables[index].define(name(index), [], add);
  await done;
  return performance.now() - start;
}

missing = graph.length;
await new Promise((resolve) => (finish = resolve));
const runs = [];
for (let round = 0; round < rounds; round++) runs.push(await run());
console.log(JSON.stringify({runs, build, results}));
runtime.dispose();
