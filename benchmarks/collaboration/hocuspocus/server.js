// Hocuspocus with its SQLite extension, as its documentation sets it up. Prints its port.
//
//   node --expose-gc server.js DATABASE
//
// GET /gc collects garbage, so that memory is compared without what is only not yet collected.
import { SQLite } from '@hocuspocus/extension-sqlite'
import { Server } from '@hocuspocus/server'

const server = new Server({
  address: '127.0.0.1',
  port: 0,
  quiet: true,
  extensions: [new SQLite({ database: process.argv[2] })],
  async onRequest({ request }) {
    if (request.url === '/gc') globalThis.gc()
  },
})
await server.listen()
console.log(server.address.port)
