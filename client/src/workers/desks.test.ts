/** Packs, external workers and access are kept as the server has them, and every refusal says why. */
import { beforeEach, expect, it, vi } from "vitest";
import { ApiError, type Rest } from "../api";
import type { ExternalWorkerView } from "../protocol/generated";
import { AccessDesk } from "./access_desk";
import { ExternalDesk } from "./external_desk";
import { PackShelf } from "./pack_shelf";

let rest: { [K in keyof Rest]: ReturnType<typeof vi.fn> };

const refusal = new ApiError({ code: "pack_not_allowed", message: "Not on the list", details: {} }, 403);

beforeEach(() => {
  rest = {
    get: vi.fn(async () => ({ items: [], may_grant: true })),
    post: vi.fn(async () => ({})),
    put: vi.fn(async () => ({})),
    patch: vi.fn(async () => ({})),
    delete: vi.fn(async () => ({})),
  };
});

it("installs a pack by its name, and from a file by its bytes and then its hash", async () => {
  const shelf = new PackShelf(rest as unknown as Rest, "c");
  expect(await shelf.install("acme", ">=1")).toBe(true);
  expect(rest.post).toHaveBeenLastCalledWith("/v1/packs", {
    canvas: "c",
    distribution: "acme",
    specifier: ">=1",
  });
  rest.post.mockResolvedValueOnce({ file: "ab" });
  await shelf.installFile(new File([new Uint8Array([1, 2])], "acme.whl"));
  expect(rest.post).toHaveBeenCalledWith("/v1/packs/files", { canvas: "c", name: "acme.whl", data: "AQI=" });
  expect(rest.post).toHaveBeenLastCalledWith("/v1/packs", { canvas: "c", file: "ab" });
});

it("says why a pack was refused, and shows what there is all the same", async () => {
  const shelf = new PackShelf(rest as unknown as Rest, "c");
  rest.post.mockRejectedValue(refusal);
  expect(await shelf.install("acme", "")).toBe(false);
  expect(shelf.failure.get()).toBe("Could not install acme: Not on the list");
  expect(shelf.doing.get()).toBeNull();
  expect(shelf.packs.get()).toEqual([]);
});

it("tells once how a new external worker connects, and gives it to the canvas", async () => {
  const desk = new ExternalDesk(rest as unknown as Rest, "c");
  rest.post.mockResolvedValue({ id: "w", command: "connect" });
  expect(await desk.create("Microscope")).toBe(true);
  expect(desk.fresh.get()).toEqual({ id: "w", command: "connect" });
  expect(rest.patch).toHaveBeenCalledWith("/v1/external-workers/w", { canvases: ["c"] });
  desk.putAway();
  expect(desk.fresh.get()).toBeNull();
});

it("gives a worker to this canvas beside others, and takes it away from this one alone (W56)", async () => {
  const desk = new ExternalDesk(rest as unknown as Rest, "c");
  const worker = { id: "w", name: "W", canvases: ["a", "c"] } as ExternalWorkerView;
  expect(desk.isHere(worker)).toBe(true);
  await desk.withdraw(worker);
  expect(rest.delete).toHaveBeenCalledWith("/v1/canvases/c/external-workers/w");
  await desk.give({ ...worker, canvases: ["a"] });
  expect(rest.patch).toHaveBeenCalledWith("/v1/external-workers/w", { canvases: ["a", "c"] });
  expect(desk.isHere({ ...worker, canvases: ["a"] })).toBe(false);
});

it("sends a secret's value once and keeps nothing of it", async () => {
  const desk = new AccessDesk(rest as unknown as Rest, "c");
  expect(await desk.addSecret("KEY", "hidden", true)).toBe(true);
  expect(rest.post).toHaveBeenCalledWith("/v1/secrets", { name: "KEY", value: "hidden", canvas: "c" });
  expect(JSON.stringify(desk.access.get())).not.toContain("hidden");
});

it("knows who may grant, and by what name people go", async () => {
  rest.get.mockImplementation(async (path: string) =>
    path.endsWith("/members")
      ? { items: [{ user_id: "1", name: "", email: "ada@example.org" }] }
      : { items: [], may_grant: true },
  );
  const desk = new AccessDesk(rest as unknown as Rest, "c");
  await desk.load();
  expect(desk.access.get()).toMatchObject({ mayGrant: true, names: { "1": "ada@example.org" } });
  rest.post.mockRejectedValue(refusal);
  expect(await desk.grantHost("example.org")).toBe(false);
  expect(desk.failure.get()).toBe("Could not grant example.org: Not on the list");
});
