/** Where grants and secrets are on the server. */
import type { Rest } from "../api";
import type { MemberList } from "../protocol/generated";
import type { Access } from "./access_desk";

/** A host that code may connect to; or a secret, with the hosts to which it may go. */
export interface GrantView {
  readonly id: string;
  readonly hosts: readonly string[];
  /** The name of the secret; null for a host alone. */
  readonly secret: string | null;
  /** The id of the user who gave it. */
  readonly by: string | null;
  readonly created_at: number;
}

/** A secret without its value. */
export interface SecretView {
  readonly id: string;
  readonly name: string;
  /** The canvas whose it is; null for one's own. */
  readonly canvas: string | null;
  readonly updated_at: number;
}

export const accessPaths = {
  read: async (rest: Rest, canvas: string): Promise<Access> => {
    const [grants, mine, its, members] = await Promise.all([
      rest.get<{ items: GrantView[]; may_grant: boolean }>(`/v1/canvases/${canvas}/grants`),
      rest.get<{ items: SecretView[] }>("/v1/secrets"),
      rest.get<{ items: SecretView[] }>("/v1/secrets", { query: { canvas } }).catch(() => ({ items: [] })),
      rest.get<MemberList>(`/v1/canvases/${canvas}/members`).catch(() => ({ items: [] })),
    ]);
    const known = new Set(its.items.map(({ id }) => id));
    return {
      grants: grants.items,
      secrets: [...its.items, ...mine.items.filter(({ id }) => !known.has(id))],
      mayGrant: grants.may_grant,
      names: Object.fromEntries(members.items.map(({ user_id, name, email }) => [user_id, name || email])),
    };
  },
  grantHost: (rest: Rest, canvas: string, host: string) =>
    rest.post(`/v1/canvases/${canvas}/grants`, { hosts: [host] }),
  grantSecret: (rest: Rest, canvas: string, secret: SecretView, hosts: readonly string[]) =>
    rest.post(`/v1/canvases/${canvas}/grants`, { secret: secret.id, hosts }),
  revoke: (rest: Rest, canvas: string, grant: GrantView) =>
    rest.delete(`/v1/canvases/${canvas}/grants/${grant.id}`),
  addSecret: (rest: Rest, name: string, value: string, canvas: string | null) =>
    rest.post("/v1/secrets", { name, value, ...(canvas === null ? {} : { canvas }) }),
  replaceSecret: (rest: Rest, secret: SecretView, value: string) =>
    rest.put(`/v1/secrets/${secret.id}`, { value }),
  removeSecret: (rest: Rest, secret: SecretView) => rest.delete(`/v1/secrets/${secret.id}`),
};
