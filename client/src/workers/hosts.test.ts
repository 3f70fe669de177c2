/** Hosts are checked as they are typed. */
import { expect, it } from "vitest";
import { hostMeaning, whyNotHost } from "./hosts";

it.each([
  "api.github.com",
  "*.example.org:443",
  "10.0.0.5:5432",
  "[::1]:80",
  "localhost:8080",
  "bücher.example",
])("takes %s", (host) => {
  expect(whyNotHost(host)).toBeNull();
});

it.each([
  ["", "needed"],
  ["https://example.org", "without https"],
  ["example.org/path", "path"],
  ["a b", "spaces"],
  ["*", "“*”"],
  ["*.org", "“*”"],
  ["a.*.org", "“*”"],
  ["example.org:0", "port"],
  ["example.org:99999", "port"],
  ["[1.2.3.4]", "IPv6"],
  ["-a.org", "no name"],
])("does not take %o, and says why", (host, why) => {
  expect(whyNotHost(host)).toContain(why);
});

it("says what a grant means", () => {
  expect(hostMeaning("*.example.org:443")).toBe(
    "Code may connect to any host below example.org at port 443.",
  );
  expect(hostMeaning("api.github.com")).toContain("api.github.com, at the ports of the web");
});
