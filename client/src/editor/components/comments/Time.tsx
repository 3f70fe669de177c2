/** When something was, as people say it; the full time is in its title. */
import { useSyncExternalStore } from "react";
import { ago, fullTime } from "../../../comments";

const MINUTE = 60_000;

function eachMinute(listener: () => void): () => void {
  const timer = setInterval(listener, MINUTE);
  return () => clearInterval(timer);
}

const thisMinute = () => Math.floor(Date.now() / MINUTE);

export function Time({ at }: { at: number }) {
  useSyncExternalStore(eachMinute, thisMinute);
  return (
    <time dateTime={new Date(at * 1000).toISOString()} title={fullTime(at)}>
      {ago(at)}
    </time>
  );
}
