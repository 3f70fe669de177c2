/** Operations that the generated types may not know yet: asked for by name, answered as the caller says. */
import type { Connection } from "../session";

export function ask<Answered>(
  session: Connection,
  event: string,
  payload: Readonly<Record<string, unknown>>,
): Promise<Answered> {
  const request = session.request.bind(session) as unknown as (
    name: string,
    fields: Readonly<Record<string, unknown>>,
  ) => Promise<Answered>;
  return request(event, payload);
}
