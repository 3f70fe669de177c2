/** The socket to the server. */
export type * from "./types";
