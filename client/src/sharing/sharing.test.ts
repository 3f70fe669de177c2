/** Sharing keeps what the server has, tells a link once, and says why something was refused. */
import { beforeEach, expect, it, vi } from "vitest";
import { ApiError, type Rest } from "../api";
import type { InvitationView, MemberView } from "../protocol/generated";
import { Sharing } from "./sharing";
import { DAY, timeLeft } from "./words";

const ada: MemberView = { user_id: "1", email: "ada@example.org", name: "Ada", role: "owner" };
const bob: MemberView = { user_id: "2", email: "bob@example.org", name: "Bob", role: "viewer" };

function invitation(id: string, email: string | null): InvitationView {
  return { id, email, role: "viewer", by: "Ada", created_at: 0, expires_at: null, uses: 0, state: "open" };
}

let members: MemberView[];
let open: InvitationView[];
let rest: { [K in keyof Rest]: ReturnType<typeof vi.fn> };
let sharing: Sharing;

beforeEach(() => {
  members = [ada];
  open = [invitation("l", null), invitation("i", "cyd@example.org")];
  rest = {
    get: vi.fn(async (path: string) =>
      path.endsWith("/members") ? { items: members } : { items: open, new_people: true },
    ),
    post: vi.fn(),
    put: vi.fn(async () => ({ items: members })),
    patch: vi.fn(),
    delete: vi.fn(async () => ({ items: members })),
  };
  sharing = new Sharing(rest as unknown as Rest, "c", "https://here");
});

it("tells links from invitations, and asks for neither where one may not see them", async () => {
  await sharing.load(true);
  expect(sharing.state.get()).toMatchObject({
    members: [ada],
    links: [{ id: "l" }],
    invitations: [{ id: "i" }],
    newPeople: true,
  });
  await sharing.load(false);
  expect(sharing.state.get()).toMatchObject({ members: [ada], links: [], invitations: [] });
  expect(rest.get).toHaveBeenCalledTimes(3);
});

it("leaves the state as it is when nothing changed", async () => {
  await sharing.load(true);
  const before = sharing.state.get();
  await sharing.load(true);
  expect(sharing.state.get()).toBe(before);
});

it("shows a fresh link for the address at which the page is, until it is put away or revoked", async () => {
  rest.post.mockResolvedValue({ member: null, invitation: open[0], link: "http://0.0.0.0:1/#/join/tok" });
  expect(await sharing.makeLink("viewer", 60)).toBe(true);
  expect(rest.post).toHaveBeenCalledWith("/v1/canvases/c/invitations", { role: "viewer", expires_in: 60 });
  expect(sharing.fresh.get()).toEqual({ id: "l", email: null, url: "https://here/#/join/tok" });
  await sharing.revoke("i");
  expect(sharing.fresh.get()).not.toBeNull();
  await sharing.revoke("l");
  expect(sharing.fresh.get()).toBeNull();
});

it("has a new member at once where there was an account", async () => {
  members = [ada, bob];
  rest.post.mockResolvedValue({ member: bob.email, invitation: null, link: null });
  await sharing.invite(bob.email, "viewer");
  expect(sharing.state.get().members).toEqual([ada, bob]);
  expect(sharing.fresh.get()).toBeNull();
});

it("says why something was refused, and nothing changes", async () => {
  await sharing.load(true);
  const before = sharing.state.get();
  rest.put.mockRejectedValue(
    new ApiError({ code: "last_owner", message: "A canvas needs an owner", details: {} }, 409),
  );
  expect(await sharing.setRole(ada.email, "viewer")).toBe(false);
  expect(sharing.failure.get()).toContain("A canvas needs an owner");
  expect(sharing.state.get()).toBe(before);
  await sharing.load(true);
  expect(sharing.failure.get(), "a look hides it not").not.toBeNull();
  rest.put.mockResolvedValue({ items: members });
  expect(await sharing.setRole(ada.email, "owner")).toBe(true);
  expect(sharing.failure.get()).toBeNull();
});

it("tells of a look in vain until one succeeds", async () => {
  rest.get.mockRejectedValueOnce(new Error("no line"));
  await sharing.load(false);
  expect(sharing.failure.get()).toContain("no line");
  await sharing.load(false);
  expect(sharing.failure.get()).toBeNull();
});

it("takes no list that was asked for before a change", async () => {
  let answer = (_: object) => {};
  rest.get.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
  const looking = sharing.load(false);
  members = [ada, bob];
  await sharing.setRole(bob.email, "viewer");
  answer({ items: [ada] });
  await looking;
  expect(sharing.state.get().members).toEqual([ada, bob]);
});

it.each([
  [null, "no end"],
  [0, "expired"],
  [7 * DAY, "7 days left"],
  [DAY, "1 day left"],
  [3600, "1 hour left"],
  [90, "2 minutes left"],
  [5, "seconds left"],
])("says what is left of %s seconds", (left, words) => {
  expect(timeLeft(left === null ? null : 1000 + left, 1000)).toBe(words);
});
