/** Sharing a canvas: who may come to it, and by which ways. Knows nothing of React. */
export { type FreshLink, type Invitation, type Member, Sharing, type SharingState } from "./sharing";
export { LINK_LIVES, LINK_ROLES, ROLES, timeLeft } from "./words";
