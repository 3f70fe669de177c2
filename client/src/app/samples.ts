/** The sample spells that the server offers, which an empty start shows. */
import { useEffect, useState } from "react";
import { api } from "../api";
import type { SpellJson } from "../protocol";
import { fetchOrRecall } from "./remembered";

/** A sample, with what a person reads before opening it, and as a spell. */
export interface Sample {
  readonly id: string;
  readonly title: string;
  readonly sentence: string;
  readonly spell: SpellJson;
}

const NONE: readonly Sample[] = [];

/** The samples, the smallest first; none until the server, or else this browser, has told them. */
export function useSamples(): readonly Sample[] {
  const [samples, setSamples] = useState(NONE);
  useEffect(() => {
    let gone = false;
    const list = async () => (await api.get<{ items: Sample[] }>("/v1/samples")).items;
    fetchOrRecall("samples", list).then(
      (items) => !gone && setSamples(items.toReversed()),
      () => {}, // One can begin without them.
    );
    return () => {
      gone = true;
    };
  }, []);
  return samples;
}
