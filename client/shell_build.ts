/** Builds the service worker with the list of the files that it keeps. */
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

const WORKER = "service-worker.js";

/** Emits `/service-worker.js`, which knows every file of the build and of `public` by name. */
export function shellBuild(): Plugin {
  let folders = { root: "", public: "" };
  return {
    name: "spellwork-shell",
    apply: "build",
    configResolved: ({ root, publicDir }) => {
      folders = { root, public: publicDir };
    },
    buildStart() {
      this.emitFile({
        type: "chunk",
        id: join(folders.root, "src/shell/service_worker.ts"),
        fileName: WORKER,
      });
    },
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const built = Object.keys(bundle).filter((name) => name.startsWith("assets/"));
        const files = [...built, ...readdirSync(folders.public)].map((name) => `/${name}`).sort();
        const build = createHash("sha256").update(files.join("\n")).digest("hex").slice(0, 16);
        const worker = bundle[WORKER];
        if (worker?.type !== "chunk") throw new Error("the service worker was not built");
        if (worker.imports.length > 0) throw new Error("the service worker must be one file");
        worker.code = `const SHELL = ${JSON.stringify({ build, files })};\n${worker.code}`;
      },
    },
  };
}
