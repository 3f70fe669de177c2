/** What a plot may bring to the page: its drawing and its data, and nothing that reaches out. */
import { type Loader, loader } from "vega";

const LINK = /^https?:\/\//i;
const PICTURE = /^data:image\//i;

/** Refuses everything by address: else a spec that somebody wrote would have each reader's browser ask for it. */
export function closedLoader(): Loader {
  const refuse = (address: string) =>
    Promise.reject(new Error(`a plot carries its data itself; ${address} is not fetched`));
  return {
    ...loader(),
    load: refuse,
    http: refuse,
    file: refuse,
    sanitize: (address, options) =>
      (options?.context === "href" ? LINK : PICTURE).test(address)
        ? Promise.resolve({ href: address, target: "_blank", rel: "noopener noreferrer" })
        : refuse(address),
  } as Loader;
}

/** The spec without `usermeta`: in it a spec could overrule how the page embeds it. */
export function embeddable(spec: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { usermeta: _, ...rest } = spec;
  return rest;
}
