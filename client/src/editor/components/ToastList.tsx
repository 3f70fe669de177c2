/** The messages at the corner of the page. */
import { CheckCircle2, CircleAlert, Info, X } from "lucide-react";
import { useStore } from "../../store";
import type { Toasts } from "../store/toasts";

const ICONS = { info: Info, done: CheckCircle2, error: CircleAlert };

export function ToastList({ toasts }: { toasts: Toasts }) {
  const list = useStore(toasts.list);
  return (
    <div className="toasts" aria-live="polite">
      {list.map((toast) => {
        const Icon = ICONS[toast.tone];
        return (
          <div
            key={toast.id}
            className="toast"
            data-tone={toast.tone}
            role={toast.tone === "error" ? "alert" : "status"}
            data-testid="toast"
          >
            <Icon size={16} aria-hidden="true" />
            <div className="toast-words">
              <strong>{toast.title}</strong>
              {toast.next && <span>{toast.next}</span>}
              {toast.code && <code>{toast.code}</code>}
            </div>
            {toast.action && (
              <button
                type="button"
                className="link-button"
                onClick={() => {
                  toasts.dismiss(toast.id);
                  toast.action?.run();
                }}
              >
                {toast.action.label}
              </button>
            )}
            <button
              type="button"
              className="icon-button small"
              aria-label="Dismiss"
              onClick={() => toasts.dismiss(toast.id)}
            >
              <X size={13} />
            </button>
          </div>
        );
      })}
    </div>
  );
}
