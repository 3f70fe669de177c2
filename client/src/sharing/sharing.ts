/** Who may come to one canvas, and by which ways: members, share links and invitations, kept as the server has them. */
import type { Rest } from "../api";
import type { Role } from "../protocol";
import type {
  InvitationList,
  InvitationView,
  MadeInvitation,
  MemberList,
  MemberView,
} from "../protocol/generated";
import { Store } from "../store";

export type Member = MemberView;
export type Invitation = InvitationView;

/** A link that was just made. The server tells it this once, so it stays in sight until it is put away. */
export interface FreshLink {
  /** Of which invitation or share link. */
  readonly id: string;
  /** Whom it is for; null: whoever has it and an account. */
  readonly email: string | null;
  readonly url: string;
}

export interface SharingState {
  /** Null until they are known. */
  readonly members: readonly Member[] | null;
  /** Share links and invitations; empty for those who may not see them. */
  readonly links: readonly Invitation[];
  readonly invitations: readonly Invitation[];
  /** Whether this person may invite people without an account. */
  readonly newPeople: boolean;
}

const NOTHING: SharingState = { members: null, links: [], invitations: [], newPeople: false };

/**
 * Sharing of a canvas, over REST.
 *
 * Every change is followed by what the server then has; one that is refused is told in `failure` and changes
 * nothing. Links are made for `origin`, the address at which this person has the page: it is one that works.
 */
export class Sharing {
  readonly state = new Store<SharingState>(NOTHING);
  readonly fresh = new Store<FreshLink | null>(null);
  readonly failure = new Store<string | null>(null);
  readonly #rest: Rest;
  readonly #canvas: string;
  readonly #origin: string;
  #loading = 0;
  /** Whether `failure` tells of a look in vain, which the next good one makes up for. */
  #lookFailed = false;

  constructor(rest: Rest, canvas: string, origin: string) {
    this.#rest = rest;
    this.#canvas = `/v1/canvases/${canvas}`;
    this.#origin = origin;
  }

  /** Read who is here and, for owners, the ways in. May be called again and again: it hides no other failure. */
  async load(owner: boolean): Promise<void> {
    try {
      await this.#load(owner);
      if (this.#lookFailed) this.#tell(null);
    } catch (error) {
      if (this.failure.get() !== null) return;
      this.#tell(`Could not list who is here: ${words(error)}`);
      this.#lookFailed = true;
    }
  }

  /** Give somebody a role; where there is no account, make an invitation whose link is in `fresh`. */
  invite(email: string, role: Role): Promise<boolean> {
    return this.#act(`Could not add ${email}`, async () => {
      await this.#make("/invitations", { email, role });
    });
  }

  /** Make a share link, good for some seconds or (null) until it is revoked. */
  makeLink(role: Role, seconds: number | null): Promise<boolean> {
    return this.#act("Could not make a link", async () => {
      await this.#make("/invitations", { role, ...(seconds === null ? {} : { expires_in: seconds }) });
    });
  }

  /** Make another link in place of one's old one, which ends. */
  remake(id: string): Promise<boolean> {
    return this.#act("Could not make a new link", () => this.#make(`/invitations/${id}/link`));
  }

  /** Let nobody in by this link or invitation any more. */
  revoke(id: string): Promise<boolean> {
    return this.#act("Could not revoke it", async () => {
      await this.#rest.delete(`${this.#canvas}/invitations/${id}`);
      if (this.fresh.get()?.id === id) this.fresh.set(null);
      await this.#load(true);
    });
  }

  setRole(email: string, role: Role): Promise<boolean> {
    return this.#act(`Could not change the role of ${email}`, async () => {
      this.#take(await this.#rest.put<MemberList>(`${this.#canvas}/members`, { email, role }));
    });
  }

  /** Take somebody off the canvas, or leave it oneself. */
  remove(email: string): Promise<boolean> {
    return this.#act(`Could not remove ${email}`, async () => {
      this.#take(await this.#rest.delete<MemberList>(`${this.#canvas}/members`, { query: { email } }));
    });
  }

  /** Put the fresh link out of sight. */
  putAway(): void {
    this.fresh.set(null);
  }

  async #make(path: string, body?: object): Promise<void> {
    const made = await this.#rest.post<MadeInvitation>(this.#canvas + path, body);
    if (made.link !== null && made.invitation !== null) {
      const { id, email } = made.invitation;
      this.fresh.set({ id, email, url: `${this.#origin}/${new URL(made.link).hash}` });
    }
    await this.#load(true);
  }

  async #load(owner: boolean): Promise<void> {
    this.#loading += 1;
    const loading = this.#loading;
    const [members, open] = await Promise.all([
      this.#rest.get<MemberList>(`${this.#canvas}/members`),
      owner
        ? this.#rest.get<InvitationList>(`${this.#canvas}/invitations`)
        : { items: [], new_people: false },
    ]);
    if (loading !== this.#loading) return; // What was asked later is newer.
    const kept: SharingState = {
      members: members.items,
      links: open.items.filter(({ email }) => email === null),
      invitations: open.items.filter(({ email }) => email !== null),
      newPeople: open.new_people,
    };
    if (JSON.stringify(kept) !== JSON.stringify(this.state.get())) this.state.set(kept);
  }

  #take({ items }: MemberList): void {
    this.#loading += 1;
    this.state.update((state) => ({ ...state, members: items }));
  }

  async #act(what: string, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.#tell(null);
      return true;
    } catch (error) {
      this.#tell(`${what}: ${words(error)}`);
      return false;
    }
  }

  #tell(failure: string | null): void {
    this.#lookFailed = false;
    this.failure.set(failure);
  }
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
