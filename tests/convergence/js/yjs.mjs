// The packages of the client, by the folder that the test names: one Yjs for everybody.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.argv[2], "package.json"));
const load = (path) => import(pathToFileURL(join(process.argv[2], "node_modules", path)).href);

export const Y = await load("yjs/dist/yjs.mjs");
export const { WebsocketProvider } = await load("y-websocket/src/y-websocket.js");
export const encoding = await load("lib0/encoding.js");
export const { io } = require("socket.io-client");
export const WebSocket = require("ws");
export const ROOTS = ["meta", "nodes", "edges", "groups", "notes"];
