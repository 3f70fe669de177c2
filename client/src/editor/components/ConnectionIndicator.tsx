/** Whether the server is reached; quiet while it is, so that it is seen when it is not. */
import { Hourglass, PlugZap, Wifi, WifiOff } from "lucide-react";
import { useEffect, useState } from "react";
import { useStore } from "../../store";
import { useConnection } from "../hooks/useConnection";
import { useEditor } from "../hooks/useEditor";

function useSecondsUntil(at: number | null): number | null {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (at === null) return;
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [at]);
  return at === null ? null : Math.max(0, Math.ceil((at - now) / 1000));
}

export function ConnectionIndicator() {
  const status = useStore(useConnection().status);
  const seconds = useSecondsUntil(status.state === "offline" ? status.retryAt : null);
  const stalled = useStore(useEditor().workbench.runs.stalled);
  const [tone, words, title] =
    status.state === "online" && stalled !== null
      ? ([
          "warn",
          "Results are late",
          `Runs go on, but the server cannot store events now: ${stalled}`,
        ] as const)
      : status.state === "online"
        ? (["quiet", null, "Connected to the server"] as const)
        : status.state === "connecting"
          ? (["quiet", "Connecting…", `Attempt ${status.attempt}`] as const)
          : status.state === "offline"
            ? (["warn", seconds ? `Trying again in ${seconds} s` : "Trying again…", status.reason] as const)
            : status.state === "refused"
              ? (["bad", "Signed out", status.error.message] as const)
              : status.state === "stopping"
                ? (["warn", "Server restarts", status.reason] as const)
                : (["quiet", "Closed", "This canvas is closed"] as const);
  const online = stalled === null ? Wifi : Hourglass;
  const asOf = useStore(useEditor().workbench.runs.asOf);
  const Icon = status.state === "online" ? online : status.state === "refused" ? PlugZap : WifiOff;
  return (
    <span
      className="indicator"
      data-tone={tone}
      data-state={status.state}
      data-stalled={stalled !== null}
      title={title}
      role="status"
      aria-label={title}
      data-testid="connection-indicator"
    >
      <Icon size={13} />
      {words}
      {asOf !== null && status.state !== "online" && (
        <span className="truncate" data-testid="results-as-of">
          {words ? " · " : ""}Results of {whenWords(asOf)}
        </span>
      )}
    </span>
  );
}

/** The time of today, or the day. */
function whenWords(at: number): string {
  const date = new Date(at);
  return date.toDateString() === new Date().toDateString()
    ? date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })
    : date.toLocaleDateString();
}
