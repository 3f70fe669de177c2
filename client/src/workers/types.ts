/** Workers as the page has them: the places where the code of canvases runs. */

/** Where a worker stands. */
export type WorkerState = "absent" | "provisioning" | "starting" | "ready" | "busy" | "stopped" | "failed";

/** A canvas's own, one that several canvases use, or one that came from outside. */
export type WorkerKind = "canvas" | "shared" | "external";

/** What one worker may use. Null or left out: no limit is known. */
export interface WorkerLimits {
  readonly memory_mb?: number | null;
  readonly cpu_seconds?: number | null;
  readonly processes?: number | null;
  readonly files_mb?: number | null;
  readonly output_bytes?: number | null;
  readonly wall_seconds?: number | null;
}

/** What a worker uses now. */
export interface WorkerMetrics {
  /** Share of one processor, in percent; over 100 where several are busy. */
  readonly cpu_percent?: number | null;
  readonly memory_bytes?: number | null;
  /** Calls that wait for their turn, and calls under way. */
  readonly queue?: number | null;
  readonly running?: number | null;
}

/** One thing that is closed to the code of a worker, or is not. */
export interface Layer {
  readonly name: string;
  readonly on: boolean;
  /** Why it is not in force. */
  readonly why: string | null;
}

/** The means by which code is closed off on this machine. */
export interface Means {
  readonly present: readonly string[];
  readonly absent: Readonly<Record<string, string>>;
}

/** A line that a worker or its provisioning said. */
export interface WorkerLine {
  /** Unix seconds. */
  readonly at: number;
  readonly level: string;
  readonly text: string;
}

/** One look at a worker's metrics. */
export interface Sample {
  readonly at: number;
  readonly cpu: number;
  readonly memory: number;
}

/** The packages a worker has, and from what they were made. */
export interface WorkerEnvironment {
  /** Names the environment by its content. */
  readonly key: string | null;
  readonly python: string | null;
  readonly requirements: Readonly<Record<string, string>>;
  /** Whether there is a lock: every package with its version and hashes. */
  readonly locked: boolean;
}

/** A worker, as the server tells it. */
export interface Worker {
  readonly id: string;
  readonly name: string;
  readonly kind: WorkerKind;
  readonly canvas: string | null;
  readonly owner: string | null;
  readonly state: WorkerState;
  /** Why it failed, or stopped. */
  readonly reason: string | null;
  readonly processes: number;
  readonly limits: WorkerLimits;
  /** Those of its limits that are not the server's, by name. */
  readonly ownLimits: Readonly<Record<string, number>>;
  /** Of a shared one: whether whoever edits a canvas may put it there. */
  readonly open: boolean;
  readonly environment: WorkerEnvironment;
  readonly layers: readonly Layer[];
  /** By what means its code is closed off, and why other means are not there. */
  readonly means: Means;
  readonly metrics: WorkerMetrics;
  readonly restarts: number;
  /** What the resolver said is wrong, by package; "" is about all together. */
  readonly faults: Readonly<Record<string, string>>;
}
