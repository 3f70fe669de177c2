/** What runs ask people, without React. */
export { answerOf, EMPTY, fieldsOf, refusalOf, shownValue } from "./answer";
export { TaskDesk, type Tray, tasksAt } from "./task_desk";
export type { Asked, Draft, FormField, Person, Question, Refusal, Task } from "./types";
export { asksOf, mayAnswer, outcomeOf, ROLES, whom } from "./words";
