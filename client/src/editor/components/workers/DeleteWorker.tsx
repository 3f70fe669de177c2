/** Deletes a shared worker, once somebody has said so twice. */
import { Trash2 } from "lucide-react";
import { useState } from "react";
import type { Worker } from "../../../workers";

interface DeleteWorkerProps {
  readonly worker: Worker;
  readonly disabled: boolean;
  readonly onDelete: () => void;
}

export function DeleteWorker({ worker, disabled, onDelete }: DeleteWorkerProps) {
  const [asking, setAsking] = useState(false);
  if (!asking)
    return (
      <button
        type="button"
        className="button danger"
        disabled={disabled}
        data-testid="worker-delete"
        onClick={() => setAsking(true)}
      >
        <Trash2 size={13} aria-hidden="true" /> Delete
      </button>
    );
  return (
    // biome-ignore lint/a11y/useSemanticElements: a question within a form, not a set of its fields
    <div
      className="delete-worker notice error"
      data-sure={asking}
      role="group"
      aria-label={`Delete ${worker.name}?`}
    >
      <p>
        Delete <strong>{worker.name}</strong>? Canvases on it are on their own workers again, and values that
        live in it are lost.
      </p>
      <div className="row-buttons">
        <button
          type="button"
          className="button small"
          ref={(button) => button?.focus()}
          onClick={() => setAsking(false)}
        >
          Keep it
        </button>
        <button
          type="button"
          className="button small danger"
          disabled={disabled}
          data-testid="worker-delete-sure"
          onClick={onDelete}
        >
          Delete it
        </button>
      </div>
    </div>
  );
}
