/** Hosts as they are granted: `api.example.org`, `*.example.org:443`, `10.0.0.5:5432`. */

/** Why a text is no host to grant; null when it is one, as far as can be told here. */
export function whyNotHost(text: string): string | null {
  const host = text.trim();
  if (host === "") return "A host is needed";
  if (host.length > 300) return "A host has at most 300 characters";
  if (host.includes("://") || host.includes("/")) return "Only the host: without https:// and without a path";
  if (/[\s@]/.test(host)) return "A host has no spaces and no “@”";
  const named = host.startsWith("[") ? host.slice(1).split("]") : [host.replace(/:\d*$/, "")];
  const name = named[0] ?? "";
  const port = host.startsWith("[") ? (named[1] ?? "") : host.slice(name.length);
  if (port !== "" && !isPort(port)) return "A port is a number from 1 to 65535";
  if (host.startsWith("[")) return name.includes(":") ? null : "Brackets are for IPv6 addresses";
  if (name === "*" || (name.includes("*") && !/^\*\.[^*]+\.[^*]+$/.test(name)))
    return "“*” stands before a name with a dot in it: *.example.org";
  return /^(?:\*\.)?[\p{L}\p{N}](?:[\p{L}\p{N}._:-]*[\p{L}\p{N}])?$/u.test(name)
    ? null
    : `“${name}” is no name of a host`;
}

function isPort(text: string): boolean {
  const number = Number(text.slice(1));
  return /^:\d+$/.test(text) && number > 0 && number < 65_536;
}

/** What a host's grant means, in words. */
export function hostMeaning(host: string): string {
  const [, name = host, port] = /^(.*?)(?::(\d+))?$/.exec(host) ?? [];
  const where = name.startsWith("*.") ? `any host below ${name.slice(2)}` : name;
  return port
    ? `Code may connect to ${where} at port ${port}.`
    : `Code may connect to ${where}, at the ports of the web.`;
}
