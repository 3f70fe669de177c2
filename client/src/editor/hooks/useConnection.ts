/** The socket to the server, for what shows its state or asks it something. */
import { createContext, useContext } from "react";
import type { Connection } from "../../session";

export const ConnectionContext = createContext<Connection | null>(null);

export function useConnection(): Connection {
  const connection = useContext(ConnectionContext);
  if (!connection) throw new Error("useConnection is called outside of an open editor");
  return connection;
}
