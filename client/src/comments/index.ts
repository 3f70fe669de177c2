/** Comments and mentions, without React. */
export { CommentStore, type Member, type Threads } from "./comment_store";
export { Inbox } from "./inbox";
export { type Draft, forgetComments, unsentComments } from "./keep";
export {
  decodeMentions,
  encodeMentions,
  matching,
  mentionAt,
  mentionLinks,
  mentionName,
  type Person,
  plainWords,
} from "./mention_text";
export { type Box, drawnView, type Pin, pinsOf, within } from "./pins";
export type { Author, Comment, Mention, NewPlace, OpenedThread, Thread, Waiting } from "./types";
export { ago, fullTime } from "./when";
