/** The three spells that an empty start offers. They need no model, no key and no network. */
import type { SpellJson } from "../protocol";

/** A sample, in words and as a spell. */
export interface Sample {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  readonly spell: SpellJson;
}

const HELLO: SpellJson = {
  schema: 1,
  name: "Hello",
  nodes: {
    who: { type: "core.text", name: "Who", inputs: { text: "world" }, position: [0, 40] },
    count: { type: "core.number", name: "How often", inputs: { value: 3 }, position: [0, 240] },
    greet: {
      type: "code.python",
      name: "Greet",
      code: 'words = [f"Hello, {who}!"] * int(count)\n" ".join(words)',
      position: [340, 100],
    },
    show: { type: "core.markdown", name: "Show", position: [680, 100] },
  },
  edges: {
    e1: { source: "who", output: "text", target: "greet", input: "who" },
    e2: { source: "count", output: "value", target: "greet", input: "count" },
    e3: { source: "greet", output: "result", target: "show", input: "text" },
  },
};

const PENGUINS: SpellJson = {
  schema: 1,
  name: "Penguins",
  nodes: {
    data: { type: "core.dataset", name: "Palmer penguins", inputs: { name: "penguins" }, position: [0, 80] },
    clean: {
      type: "code.python",
      name: "Drop gaps",
      code: "[row for row in table\n if all(value is not None for value in row.values())]",
      position: [340, 80],
    },
    means: {
      type: "core.group",
      name: "Mean by species",
      inputs: { by: ["species"], how: "mean" },
      position: [680, 0],
    },
    plot: {
      type: "core.plot",
      name: "Bills",
      inputs: { kind: "scatter", x: "bill_length_mm", y: "bill_depth_mm", color: "species" },
      position: [680, 360],
    },
  },
  edges: {
    e1: { source: "data", output: "table", target: "clean", input: "table" },
    e2: { source: "clean", output: "result", target: "means", input: "table" },
    e3: { source: "clean", output: "result", target: "plot", input: "table" },
  },
};

const BRANCH: SpellJson = {
  schema: 1,
  name: "Either way",
  nodes: {
    range: { type: "core.range", name: "Ten numbers", inputs: { start: 1, end: 11 }, position: [0, 60] },
    total: { type: "core.aggregate", name: "Sum", inputs: { how: "sum" }, position: [330, 0] },
    large: {
      type: "core.compare",
      name: "Over 50?",
      inputs: { operator: "is greater than", right: 50 },
      position: [650, 120],
    },
    either: { type: "core.if", name: "Choose", position: [980, 40] },
    yes: {
      type: "core.template",
      name: "A lot",
      inputs: { template: "{sum} is a lot." },
      position: [1300, -40],
    },
    no: {
      type: "core.template",
      name: "A little",
      inputs: { template: "{sum} is little." },
      position: [1300, 180],
    },
  },
  edges: {
    e1: { source: "range", output: "items", target: "total", input: "items" },
    e2: { source: "total", output: "value", target: "large", input: "left" },
    e3: { source: "large", output: "holds", target: "either", input: "condition" },
    e4: { source: "total", output: "value", target: "either", input: "value" },
    e5: { source: "either", output: "then", target: "yes", input: "sum" },
    e6: { source: "either", output: "else", target: "no", input: "sum" },
  },
};

export const SAMPLES: readonly Sample[] = [
  {
    id: "hello",
    title: "Hello",
    about: "Two values, a Python cell and a text: the smallest whole spell.",
    spell: HELLO,
  },
  {
    id: "penguins",
    title: "Penguins",
    about: "A real data set, cleaned, averaged by species and plotted.",
    spell: PENGUINS,
  },
  {
    id: "branch",
    title: "Either way",
    about: "A list is summed; what happens next depends on the sum.",
    spell: BRANCH,
  },
];
