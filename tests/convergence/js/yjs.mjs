// The packages of the client, by the folder that the test names, and what its tabs add to undo: one Yjs for everybody.
import { createRequire } from "node:module";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.argv[2], "package.json"));
const load = (path) => import(pathToFileURL(join(process.argv[2], "node_modules", path)).href);

export const Y = await load("yjs/dist/yjs.mjs");
export const { WebsocketProvider } = await load("y-websocket/src/y-websocket.js");
export const encoding = await load("lib0/encoding.js");
export const { io } = require("socket.io-client");
export const WebSocket = require("ws");
export const ROOTS = ["meta", "nodes", "edges", "groups", "notes", "requirements", "tests"];

/** `document/sound_undo.ts` of the client itself, without which Yjs' own undo makes peers differ. */
export const { keepSound } = await (async () => {
  const { transformWithOxc } = await load("vite/dist/node/index.js");
  const source = join(process.argv[2], "src/document/sound_undo.ts");
  const { code } = await transformWithOxc(readFileSync(source, "utf8"), source);
  const made = join(process.argv[2], "node_modules", `.sound_undo.${process.pid}.mjs`); // where it finds Yjs
  writeFileSync(made, code);
  try {
    return await import(pathToFileURL(made).href);
  } finally {
    rmSync(made);
  }
})();
