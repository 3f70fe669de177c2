/** How the client is built (into the server's static folder), served while developing, and tested. */
import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { shellBuild } from "./shell_build.ts";

const server = process.env.SPELLWORK_URL ?? "http://127.0.0.1:8765";

/**
 * Files that change seldom, so that a browser keeps them over an update. Heavy parts that most visits do not
 * need (Vega, ELK, the languages of CodeMirror) are split by being imported lazily where they are used.
 */
const chunks: [name: string, test: RegExp][] = [
  ["react", /node_modules\/(react|react-dom|scheduler)\//],
  ["canvas", /node_modules\/@xyflow\//],
  ["sync", /node_modules\/(yjs|lib0|y-protocols|(@socket\.io|socket\.io|engine\.io)[^/]*)\//],
];

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  plugins: [react(), shellBuild()],
  build: {
    outDir: "../server/spellwork_server/static",
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 1700, // ELK is one file of 1.6 MB, fetched only for auto-layout
    rolldownOptions: {
      output: { codeSplitting: { groups: chunks.map(([name, test]) => ({ name, test })) } },
    },
  },
  server: {
    host: "127.0.0.1",
    port: 5173,
    proxy: {
      "/v1": { target: server, ws: true },
      "/socket.io": { target: server, ws: true },
      "/healthz": { target: server },
      "/openapi.json": { target: server },
      "/asyncapi.json": { target: server },
    },
  },
  test: {
    environment: "node",
    include: ["src/**/*.test.{ts,tsx}", "tests/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    maxWorkers: "100%", // some wait for servers
    // A server takes long to start on a busy machine; a test that passes is not slower for it.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } },
  },
});
