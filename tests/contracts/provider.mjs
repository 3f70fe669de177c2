// The standard y-websocket provider against a server, as a stranger's program would use it.
//   node provider.mjs CLIENT_FOLDER SCENARIO URL CANVAS TOKEN OTHER_TOKEN     prints one JSON object
// "restart" is asked for by printing {"restart": true}; the answer is a line on standard input.
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [folder, scenario, url, canvas, token, otherToken] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(folder, "node_modules", path)).href);
const require = createRequire(join(folder, "package.json"));
const Y = await load("yjs/dist/yjs.mjs");
const { WebsocketProvider } = await load("y-websocket/src/y-websocket.js");
const WebSocket = require("ws");

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const warnings = [];
console.warn = (text) => warnings.push(text);

function connect(proof, options = {}) {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(`${url.replace("http", "ws")}/v1/canvases`, `${canvas}/sync`, doc, {
    params: { token: proof },
    WebSocketPolyfill: WebSocket,
    disableBc: true,
    ...options,
  });
  const seen = { provider, doc, nodes: doc.getMap("nodes"), closes: [], closed: null, connections: 0 };
  provider.on("connection-close", (event) => seen.closes.push(event?.code ?? null));
  provider.on("closed", (close) => (seen.closed = close));
  provider.on("status", ({ status }) => (seen.connections += status === "connecting" ? 1 : 0));
  return seen;
}

async function until(condition, what) {
  const end = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what ?? condition}`);
    await pause(5);
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function draw({ doc, nodes }, id, fields = {}) {
  doc.transact(() => {
    const node = new Y.Map();
    const values = { type: "core.value", inputs: new Y.Map(), settings: new Y.Map(), position: [0, 0] };
    for (const [key, value] of Object.entries({ ...values, ...fields })) node.set(key, value);
    nodes.set(id, node);
  });
}

const scenarios = {
  async sync() {
    const [one, other] = [connect(token), connect(otherToken)];
    await until(() => one.provider.synced && other.provider.synced);
    draw(one, "a", { code: new Y.Text("x * 21 é😀") });
    await until(() => other.nodes.has("a"));
    other.nodes.get("a").get("code").insert(0, "1 + ");
    await until(() => one.nodes.get("a").get("code").toString() === "1 + x * 21 é😀");
    one.provider.awareness.setLocalStateField("cursor", [3, 4]);
    one.provider.awareness.setLocalStateField("user", { name: "Not me" });
    const of = ({ doc }) => other.provider.awareness.getStates().get(doc.clientID);
    await until(() => of(one)?.cursor && of(one)?.user?.id);
    const person = of(one);
    one.provider.destroy();
    await until(() => of(one) === undefined);
    return { nodes: other.nodes.toJSON(), person, closes: other.closes };
  },

  async restart() {
    const [one, other] = [connect(token), connect(otherToken)];
    await until(() => one.provider.synced && other.provider.synced);
    draw(one, "before");
    await until(() => other.nodes.has("before"));
    console.log(JSON.stringify({ restart: true }));
    await until(() => !one.provider.wsconnected);
    draw(one, "offline");
    await lines.next();
    await until(() => other.nodes.has("offline") && one.provider.synced);
    return { nodes: Object.keys(other.nodes.toJSON()).sort(), closed: one.closed };
  },

  /** A member who may only look: it follows, and the first edit ends it, with the reason. */
  async viewer() {
    const [owner, viewer] = [connect(token), connect(otherToken)];
    await until(() => owner.provider.synced && viewer.provider.synced);
    draw(owner, "a");
    draw(owner, "b");
    owner.nodes.delete("b");
    await until(() => viewer.nodes.has("a") && !viewer.nodes.has("b"));
    viewer.provider.disconnect();
    viewer.provider.connect();
    await until(() => viewer.provider.synced);
    draw(owner, "c");
    await until(() => viewer.nodes.has("c"));
    const before = viewer.connections;
    draw(viewer, "mine");
    await until(() => viewer.closed);
    await pause(1000);
    return {
      closed: viewer.closed,
      warnings,
      reconnections: viewer.connections - before,
      nodes: Object.keys(owner.nodes.toJSON()).sort(),
    };
  },

  /** What the canvas does not take ends the connection for good, and only that one. */
  async refused() {
    const [one, other] = [connect(token), connect(token)];
    await until(() => one.provider.synced && other.provider.synced);
    draw(one, "a", { code: new Y.Text("ab😀cd") });
    await until(() => other.nodes.has("a"));
    const closed = [];
    for (const spoil of [
      (peer) => peer.nodes.get("a").get("code").insert(3, "x"),
      (peer) => peer.nodes.set("b", "no node"),
      (peer) => peer.doc.getArray("list").insert(0, [1]),
    ]) {
      const peer = connect(token);
      await until(() => peer.provider.synced);
      spoil(peer);
      await until(() => peer.closed);
      closed.push(peer.closed);
    }
    draw(one, "after");
    await until(() => other.nodes.has("after"));
    return { closed, code: other.nodes.get("a").get("code").toString(), closes: one.closes };
  },

  /** A wrong token: the provider tries again, later each time. */
  async stranger() {
    const peer = connect("wrong");
    await pause(3000);
    return { connections: peer.connections, closed: peer.closed, synced: peer.provider.synced };
  },
};

try {
  console.log(JSON.stringify(await scenarios[scenario]()));
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
