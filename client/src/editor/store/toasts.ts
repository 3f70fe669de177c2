/** Short messages that come and go; errors carry a code and what to do next. */
import { ServerError } from "../../api";
import { Store } from "../../store";

export interface Toast {
  readonly id: number;
  readonly tone: "info" | "done" | "error";
  readonly title: string;
  readonly code?: string;
  /** What the person can do about it. */
  readonly next?: string;
  readonly action?: { readonly label: string; readonly run: () => void };
}

/** What to do about an error, by its code. */
const NEXT: Readonly<Record<string, string>> = {
  offline: "The connection is lost. Your edits are kept; try again when it is back.",
  timeout: "The server did not answer in time. Try again.",
  disconnected: "The connection broke meanwhile. Try again.",
  unauthenticated: "Sign in again to go on.",
  token_expired: "Sign in again to go on.",
  token_revoked: "Sign in again to go on.",
  forbidden: "Ask the owner of this canvas for a role that allows it.",
  not_found: "It may have been removed. Go back to the list of canvases.",
  rate_limited: "Wait a moment, then try again.",
  unavailable: "The server cannot store anything just now. Try again shortly.",
  too_large: "Make it smaller, or load it from a file or a URL in a node.",
  cycle: "Remove one wire of the circle, or rename what is read by name, then run again.",
  unknown_node_type: "Update the node or remove it, or ask for its pack to be installed.",
  unknown_port: "Remove the broken wire, or connect it to a port that exists.",
  incompatible_types: "Put a node between the two that turns one into the other.",
  invalid_transform: "Select the wire and correct the transform that is marked.",
  code_error: "Correct its code where it is marked.",
  model_unreachable:
    "Start the model's server, or give the address of another in base_url. A run again asks only this node.",
  model_not_found: "Choose a model that the server has, or fetch it with the node “Download a model”.",
  worker_died: "The code, or a library it uses, ended its process; the next run has a fresh one.",
  limit_exceeded: "Have it use less, or ask for a higher limit; the next run has a fresh process.",
  worker_lost: "Start the program of this worker where it lives; it connects by itself.",
  worker_stopped: "Start the worker, then run again.",
  value_gone: "Run the node that made it again.",
  not_transferable:
    "Give a plain value, a table, an array or bytes; or have the node that takes it run in the same worker.",
  not_confined: "An operator has to make the machine close off code, or allow it as it is.",
  environment_failed: "Correct the packages that are marked in the worker's panel.",
  worker_not_allowed: "Choose another worker in the bar above the canvas.",
  pack_not_allowed: "Ask the operator of this server to allow the pack.",
  request_refused: "See what this canvas was granted under Access in the worker's panel.",
  host_denied: "Ask for access to the host: the worker's panel shows who may grant it.",
  missing_input: "Connect the input to an output, or type a value.",
  invalid_input: "Select the wire into it: its transforms can take a part of what comes, or convert it.",
  exception: "Its traceback says which line failed.",
  address_denied: "The server allows nodes no addresses of its own network; an administrator can allow it.",
  output_too_large: "Give less: filter, take a part, or summarise inside the node.",
  no_value: "Run the whole canvas, or until here, first: then what they left can be used.",
  run_not_paused: "Pause the run first.",
  run_timeout: "The run took longer than runs may here. Give it less to do, or ask for more time.",
  too_many_calls: "Look for a loop that goes on too long, or have it work on less.",
  transform_failed: "Select the wire: it shows what came and what its transforms make of it.",
  secret_missing: "Add the secret, or ask an administrator for it.",
  conflict: "Somebody changed it meanwhile. Look again, then retry.",
};

/** The same of a node that failed, where that is another matter. */
const NODE_NEXT: Readonly<Record<string, string>> = {
  timeout: "Give it less to do, or more time in its settings.",
  invalid_output: "Correct what its code returns.",
  stream_failed: "Look at the node that streams into it.",
};

/** Milliseconds. What asks for a decision stays as long as what went wrong. */
const LIFETIME = { info: 3_500, done: 3_500, error: 9_000 } as const;

/** What to do about `code`; undefined when nothing particular is known. */
export function nextStep(code: string | undefined): string | undefined {
  return code === undefined ? undefined : NEXT[code];
}

/** What to do about a node that failed with `code`. */
export function nextStepOfNode(code: string): string | undefined {
  return NODE_NEXT[code] ?? NEXT[code];
}

/** The messages that are on the page now. */
export class Toasts {
  readonly list = new Store<readonly Toast[]>([]);
  #next = 1;

  /** Show a message; it goes by itself. The same title twice is shown once. */
  show(toast: Omit<Toast, "id">): void {
    const id = this.#next++;
    this.list.update((list) => [
      ...list.filter((other) => other.title !== toast.title).slice(-3),
      { ...toast, id },
    ]);
    setTimeout(() => this.dismiss(id), LIFETIME[toast.action ? "error" : toast.tone]);
  }

  /** Show what went wrong, `what` being the action that failed; `action` leads to what is to be put right. */
  error(what: string, error: unknown, action?: Toast["action"]): void {
    const code = error instanceof ServerError ? error.code : undefined;
    const message = error instanceof Error ? error.message : String(error);
    const next = nextStep(code);
    this.show({
      tone: "error",
      title: `${what}: ${message}`,
      ...(code ? { code } : {}),
      ...(next ? { next } : {}),
      ...(action ? { action } : {}),
    });
  }

  dismiss(id: number): void {
    this.list.update((list) => list.filter((toast) => toast.id !== id));
  }
}
