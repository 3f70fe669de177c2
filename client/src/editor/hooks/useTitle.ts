/**
 * What nodes are called. The canvas is often there before the library of node types, which also changes while it is
 * open: a component that names nodes reads these, and is rendered anew when they are called otherwise.
 */
import { useCallback } from "react";
import type { SpellNode } from "../../protocol";
import { useStore } from "../../store";
import { nodeTitle } from "../store/graph";
import { typeIn } from "../store/library";
import { useEditor } from "./useEditor";

export type TitleOf = (node: SpellNode | undefined) => string;

/** The title of one node; empty where there is none. */
export function useTitle(node: SpellNode | undefined): string {
  return useStore(useEditor().library.state, (state) =>
    nodeTitle(node, node && typeIn(state, node.type, node.version)),
  );
}

/** Tells the title of any node; another function as soon as the library is another. */
export function useTitleOf(): TitleOf {
  const state = useStore(useEditor().library.state);
  return useCallback((node) => nodeTitle(node, node && typeIn(state, node.type, node.version)), [state]);
}
