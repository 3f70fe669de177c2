// Drive a server with the official socket.io-client, as a stranger's program would.
//   node drive.mjs URL TOKEN CLIENT_FOLDER < spell.json      prints one JSON object
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [url, token, folder] = process.argv.slice(2);
const { io } = createRequire(join(folder, "package.json"))("socket.io-client");
const spell = JSON.parse(readFileSync(0, "utf8"));

const socket = io(url, { auth: { token }, transports: ["websocket"], reconnection: false });
const events = [];
let stream = null;
let seen = 0;

/** Take events of the stream once, whichever way they come. */
function take(batch) {
  for (const event of batch) {
    if (event.seq <= seen) continue;
    if (seen && event.seq !== seen + 1) finish({ failure: `event ${event.seq} after ${seen}` });
    seen = event.seq;
    events.push(event);
    if (event.kind === "run.completed") finish({ events });
  }
}

function finish(answer) {
  console.log(JSON.stringify(answer));
  socket.close();
  process.exit(0);
}

socket.on("connect_error", (error) => finish({ refused: { message: error.message, data: error.data } }));
socket.on("run.events", (batch) => {
  if (batch.stream === stream) take(batch.events);
});
socket.on("connect", async () => {
  const canvas = await socket.emitWithAck("canvases.create", { name: "From Node", spell });
  const wrong = await socket.emitWithAck("runs.create", { canvas: canvas.id, colour: "red" });
  if (wrong.ok || wrong.error.code !== "bad_request") finish({ failure: JSON.stringify(wrong) });
  stream = `canvas:${canvas.id}`;
  const resumed = await socket.emitWithAck("events.resume", { stream, after_seq: 0 });
  take(resumed.events);
  const run = await socket.emitWithAck("runs.create", { canvas: canvas.id });
  if (!run.ok || run.stream !== stream) finish({ failure: JSON.stringify(run) });
});
setTimeout(() => finish({ failure: "nothing more came", events }), 20000);
