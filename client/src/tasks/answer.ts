/** From what people type to an answer, and back from what the server says is wrong with it. */
import { ServerError } from "../api";
import type { Draft, FormField, Question, Refusal } from "./types";

export const EMPTY: Draft = { comment: "", values: {}, choice: [] };

/** The fields of a form, in the order in which it asks. */
export function fieldsOf(question: Question): FormField[] {
  const schema = question.fields as {
    readonly properties?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
    readonly required?: readonly string[];
  } | null;
  return Object.entries(schema?.properties ?? {}).map(([name, field]) => ({
    name,
    type: field.type as FormField["type"],
    label: (field.title as string | undefined) || name,
    help: (field.description as string | undefined) ?? "",
    required: schema?.required?.includes(name) ?? false,
    fallback: (field.default as FormField["fallback"] | undefined) ?? null,
    format: (field.format as FormField["format"] | undefined) ?? null,
    options: (field.enum as string[] | undefined) ?? null,
    least: ((field.minimum ?? field.minLength) as number | undefined) ?? null,
    most: ((field.maximum ?? field.maxLength) as number | undefined) ?? null,
  }));
}

/** What a field shows: what was typed, else its default. */
export function shownValue(field: FormField, draft: Draft): string | boolean {
  const typed = draft.values[field.name];
  if (typed !== undefined) return typed;
  if (field.type === "boolean") return field.fallback === true;
  return field.fallback === null ? "" : String(field.fallback);
}

/** The answer that a draft makes. What is left out is so: the server knows what is required. */
export function answerOf(question: Question, draft: Draft, approved: boolean): Record<string, unknown> {
  if (question.kind === "approval") return { approved, comment: draft.comment.trim() };
  if (question.kind === "choice")
    return { choice: question.several ? draft.choice : (draft.choice[0] ?? null) };
  const values: Record<string, unknown> = {};
  for (const field of fieldsOf(question)) {
    const shown = shownValue(field, draft);
    if (shown !== "") values[field.name] = read(field, shown);
  }
  return { values };
}

function read(field: FormField, shown: string | boolean): unknown {
  if (typeof shown === "boolean" || (field.type !== "number" && field.type !== "integer")) return shown;
  const number = Number(shown.replace(",", "."));
  return Number.isNaN(number) ? shown : number;
}

/** What the server found wrong, by field where it says which. */
export function refusalOf(error: unknown): Refusal {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof ServerError)) {
    return { message, fields: {}, code: null };
  }
  const errors = (error.details as { readonly errors?: unknown }).errors;
  const fields: Record<string, string> = {};
  for (const each of Array.isArray(errors) ? errors : []) {
    fields[String(each.field).replace(/^values\./, "")] = String(each.message);
  }
  return { message, fields, code: error.code };
}
