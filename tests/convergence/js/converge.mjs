// Peers edit canvases at once until they are told to stop, and must then be equal.
//   node converge.mjs CLIENT_FOLDER < one JSON line {url, tokens, canvases: [{seed, id}], ops}
// Prints JSON lines: {restart: true} asks for a restart of the server and waits for a line in
// answer; {seed, failures, vector, update} is the end of one seed; {done: true} is the end.
import { createInterface } from "node:readline";
import { ProviderPeer } from "./provider.mjs";
import { Random } from "./random.mjs";
import { scribble } from "./scribble.mjs";
import { TabPeer } from "./tab.mjs";
import { keepSound, ROOTS, Y } from "./yjs.mjs";

const PATIENCE_MS = 180_000;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const heard = async () => JSON.parse((await lines.next()).value);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
console.warn = console.error = () => {};

const { url, tokens, canvases, ops } = await heard();

/** One seed: its peers, what they do, and what went wrong. */
class Party {
  constructor({ seed, id }) {
    this.seed = seed;
    this.canvas = id;
    this.random = new Random(seed);
    this.failures = [];
    const count = 2 + this.random.below(7);
    this.peers = Array.from({ length: count }, (_, at) => this.#peer(at));
    this.left = ops;
  }

  #peer(at) {
    const kind = at === 0 ? TabPeer : at === 1 ? ProviderPeer : this.random.pick([TabPeer, ProviderPeer]);
    const peer = new kind({
      url,
      token: this.random.pick(tokens),
      canvas: this.canvas,
      random: new Random(this.seed * 1000 + at),
      fail: (why) => this.failures.push(`${kind.name} ${at}: ${why}`),
    });
    peer.undo = new Y.UndoManager(
      ROOTS.map((root) => peer.doc.getMap(root)),
      { trackedOrigins: new Set(["me"]), captureTimeout: this.random.pick([0, 20]) },
    );
    keepSound(peer.doc, peer.undo);
    return peer;
  }

  /** Do the next thing; false when all is done. */
  async step() {
    const { random } = this;
    const peer = random.pick(this.peers);
    const what = random.next();
    if (what < 0.86) scribble(peer.doc, peer.random, "me");
    else if (what < 0.92) random.chance(0.6) ? peer.undo.undo() : peer.undo.redo();
    else if (what < 0.95) peer.repeat();
    else if (what < 0.98) peer.drop();
    else await this.put();
    this.left -= 1;
    return this.left > 0;
  }

  /** Turn the canvas into another spell over REST, while everybody edits it. */
  async put() {
    const headers = { authorization: `Bearer ${tokens[0]}`, "content-type": "application/json" };
    try {
      const spell = await (await fetch(`${url}/v1/canvases/${this.canvas}/spell`, { headers })).json();
      if (spell.error) return;
      const ids = Object.keys(spell.nodes);
      if (ids.length && this.random.chance(0.5)) delete spell.nodes[this.random.pick(ids)];
      spell.nodes[`r${this.random.below(4)}`] = { type: "core.value", position: [this.random.below(99), 0] };
      for (const [id, edge] of Object.entries(spell.edges)) {
        if (!spell.nodes[edge.source] || !spell.nodes[edge.target]) delete spell.edges[id];
      }
      const body = JSON.stringify(spell);
      const answer = await fetch(`${url}/v1/canvases/${this.canvas}/spell`, { method: "PUT", headers, body });
      if (!answer.ok && answer.status !== 503) this.failures.push(`PUT: ${await answer.text()}`);
    } catch {
      // the server is being restarted
    }
  }

  /** Wait until all peers have all. */
  async settle() {
    const until = Date.now() + PATIENCE_MS;
    while (!this.#equal()) {
      if (Date.now() > until || this.failures.length) return;
      await pause(10);
    }
  }

  #equal() {
    if (!this.peers.every((peer) => peer.settled)) return false;
    const [first, ...others] = this.peers.map((peer) => vectorOf(peer.doc));
    return others.every((other) => other === first);
  }

  end() {
    const states = new Set(this.peers.map((peer) => stateOf(peer.doc)));
    if (states.size > 1) {
      const vectors = this.peers.map((peer) => vectorOf(peer.doc));
      const settled = this.peers.map((peer) => peer.settled);
      this.failures.push(`peers differ: ${JSON.stringify({ settled, vectors, states: [...states] })}`);
    }
    const [{ doc }] = this.peers;
    say({
      seed: this.seed,
      peers: this.peers.length,
      failures: this.failures,
      state: JSON.parse(stateOf(doc)),
      update: Buffer.from(Y.encodeStateAsUpdate(doc)).toString("base64"),
    });
    for (const peer of this.peers) peer.close();
  }
}

function vectorOf(doc) {
  return JSON.stringify([...Y.decodeStateVector(Y.encodeStateVector(doc))].sort(([a], [b]) => a - b));
}

function stateOf(doc) {
  return JSON.stringify(sorted(Object.fromEntries(ROOTS.map((root) => [root, doc.getMap(root).toJSON()]))));
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}

/** Half of the edits go before the restart, a quarter while it is under way, the rest after it. */
async function play(party, restarted) {
  while (await party.step()) {
    if (party.left === Math.floor(ops / 4)) await restarted;
    await pause(party.random.below(4));
  }
}

async function restartMidway(parties) {
  while (parties.some((party) => party.left > ops / 2)) await pause(10);
  say({ restart: true });
  await heard();
}

const parties = canvases.map((canvas) => new Party(canvas));
const restarted = restartMidway(parties);
await Promise.all(parties.map((party) => play(party, restarted)));
await Promise.all(parties.map((party) => party.settle()));
for (const party of parties) party.end();
process.stdout.write(`${JSON.stringify({ done: true })}\n`, () => process.exit(0));
