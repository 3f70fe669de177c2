/** Runs, their replay, and plugins. */
export { graphOrder } from "./graph_order";
export { SpellworkPage, spellwork } from "./page";
export { PluginRegistry } from "./plugin_registry";
export { kindOf } from "./plugins/preview";
export { ReplayEngine, type ReplaySource } from "./replay_engine";
export { RunStore } from "./run_store";
export type { Form } from "./spell_forms";
export type * from "./types";
export { type OpenWorkbench, openWorkbench } from "./workbench";
