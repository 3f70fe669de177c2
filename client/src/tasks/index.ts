/** What runs ask people, without React. */
export { answerOf, EMPTY, fieldsOf, refusalOf, shownValue } from "./answer";
export { TaskDesk, type Tray, tasksAt } from "./task_desk";
export type { Draft, FormField, Question, Refusal, Task } from "./types";
export { mayAnswer, outcomeOf, whom } from "./words";
