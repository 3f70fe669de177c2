// Drives a server with the official socket.io-client: one scenario by name, a JSON result on stdout.
//   node drive.mjs CLIENT_FOLDER SCENARIO URL [ARGUMENT]
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, scenario, url, argument = "{}"] = process.argv.slice(2);
const require = createRequire(join(folder, "package.json"));
const { io } = require("socket.io-client");
const Y = require("yjs");
const given = JSON.parse(argument);

function connect(token = "ada", options = {}) {
  return io(url, { auth: { token }, transports: ["websocket"], reconnection: false, ...options });
}

function connected(socket) {
  return new Promise((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("connect_error", reject);
  });
}

const ask = (socket, event, payload) => socket.timeout(10_000).emitWithAck(event, payload);

async function until(condition) {
  const end = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error("timed out");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const ROOTS = ["meta", "nodes", "edges", "groups", "notes"];

class Tab {
  constructor(socket, canvas) {
    this.socket = socket;
    this.canvas = canvas;
    this.doc = new Y.Doc();
    this.pending = [];
    this.failed = [];
    this.early = [];
    this.open = false;
    for (const name of ROOTS) this.doc.getMap(name);
    this.doc.on("update", (update, origin) => {
      if (origin !== "server") this.pending.push(this.send(update));
    });
    socket.on("canvas.updates", ({ canvas: id, updates }) => {
      if (id !== canvas) return;
      for (const update of updates) Y.applyUpdate(this.doc, new Uint8Array(update), "server");
    });
  }

  async start() {
    const opened = await ask(this.socket, "canvas.open", {
      canvas: this.canvas,
      client_id: this.doc.clientID,
      state_vector: Y.encodeStateVector(this.doc),
    });
    if (!opened.ok) throw new Error(JSON.stringify(opened));
    Y.applyUpdate(this.doc, new Uint8Array(opened.diff), "server");
    return opened;
  }

  async send(update) {
    const answer = await ask(this.socket, "canvas.update", {
      canvas: this.canvas,
      msg_id: `${this.doc.clientID}-${this.pending.length}`,
      update,
    });
    if (!answer.ok) this.failed.push(answer.error);
    return answer;
  }

  node(id, fields = {}) {
    this.doc.transact(() => {
      const node = new Y.Map();
      node.set("type", "core.value");
      node.set("inputs", new Y.Map());
      node.set("settings", new Y.Map());
      node.set("position", [0, 0]);
      for (const [key, value] of Object.entries(fields)) node.set(key, value);
      this.doc.getMap("nodes").set(id, node);
    });
  }

  state() {
    return Object.fromEntries(ROOTS.map((name) => [name, this.doc.getMap(name).toJSON()]));
  }
}

const scenarios = {
  async refused() {
    const socket = connect("nobody");
    try {
      await connected(socket);
    } catch (error) {
      return { message: error.message, data: error.data };
    }
    return {};
  },

  async echo() {
    const socket = connect("ada", given.options);
    await connected(socket);
    const heard = [];
    socket.on("news", (news) => heard.push({ ...news, blobs: news.blobs?.map((blob) => [...blob]) }));
    const answer = await ask(socket, "echo.say", { text: "hi é😀", blob: new Uint8Array([0, 255]) });
    const joined = await ask(socket, "echo.join", { n: 1 });
    await until(() => heard.length >= given.events);
    const transport = socket.io.engine.transport.name;
    socket.disconnect();
    return { answer: { ...answer, blob: [...answer.blob] }, joined, heard, transport };
  },

  async reconnect() {
    const socket = connect("ada", { reconnection: true, reconnectionDelay: 20 });
    await connected(socket);
    const tab = new Tab(socket, given.canvas);
    const first = await tab.start();
    tab.node("online");
    await Promise.all(tab.pending);
    socket.io.engine.close();
    tab.pending = [];
    tab.send = async () => ({ ok: true });
    tab.node("offline");
    await connected(socket);
    delete tab.send;
    const again = await tab.start();
    const lacking = Y.encodeStateAsUpdate(tab.doc, new Uint8Array(again.state_vector));
    const answer = await tab.send(lacking);
    socket.disconnect();
    return { first: first.seq, again: again.seq, answer };
  },
};

try {
  console.log(JSON.stringify(await scenarios[scenario]()));
  process.exit(0);
} catch (error) {
  console.error(error);
  process.exit(1);
}
