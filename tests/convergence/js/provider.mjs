// A peer over the standard y-websocket provider, as it is.
import { clocksOf, missing, note } from "./clocks.mjs";
import { encoding, ROOTS, WebSocket, WebsocketProvider, Y } from "./yjs.mjs";

const SYNC = 0;

export class ProviderPeer {
  constructor({ url, token, canvas, random, fail }) {
    Object.assign(this, { random, fail });
    this.doc = new Y.Doc();
    for (const root of ROOTS) this.doc.getMap(root);
    this.durable = new Map();
    this.sent = [];
    const address = `${url.replace("http", "ws")}/v1/canvases`;
    this.provider = new WebsocketProvider(address, `${canvas}/sync`, this.doc, {
      params: { token },
      WebSocketPolyfill: WebSocket,
      disableBc: true,
      maxBackoffTime: 300,
    });
    this.doc.on("update", (update, origin) => {
      if (origin === this.provider) note(this.durable, update);
      else this.sent.push(update);
    });
    this.provider.on("closed", ({ code, reason }) => fail(`closed for good: ${code} ${reason}`));
    const [takeSync] = this.provider.messageHandlers;
    this.provider.messageHandlers[SYNC] = (encoder, decoder, ...rest) => {
      if (decoder.arr[1] === 0) this.look(decoder.arr);
      takeSync(encoder, decoder, ...rest);
    };
  }

  /** The server's step 1 says what it knows: all that it ever told must be there. */
  look(message) {
    const known = message.slice(message[2] < 0x80 ? 3 : 4);
    const lost = missing(this.durable, clocksOf(known.length ? known : new Uint8Array([0])));
    if (lost) this.fail(`lost: ${lost}`);
  }

  get settled() {
    return this.provider.synced && this.provider.ws?.bufferedAmount === 0;
  }

  repeat() {
    if (!this.provider.wsconnected || !this.sent.length) return;
    const encoder = encoding.createEncoder();
    encoding.writeVarUint(encoder, SYNC);
    encoding.writeVarUint(encoder, 1 + this.random.below(2));
    encoding.writeVarUint8Array(encoder, this.random.pick(this.sent));
    const { ws } = this.provider;
    if (ws?.readyState === 1) ws.send(encoding.toUint8Array(encoder));
  }

  drop() {
    if (this.random.chance(0.5)) {
      this.provider.ws?.terminate();
    } else {
      this.provider.disconnect();
      setTimeout(() => this.provider.connect(), this.random.below(60));
    }
  }

  close() {
    this.provider.destroy();
    this.doc.destroy();
  }
}
