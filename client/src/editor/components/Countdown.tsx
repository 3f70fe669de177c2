/** How long until something goes on, counted down; costs a timer only while it is shown. */
import { useEffect, useState } from "react";
import { countdown } from "../store/why";

interface CountdownProps {
  /** Unix seconds. */
  readonly until: number;
  /** What stands there when the time has come and it has not gone on. */
  readonly instead: string;
}

export function Countdown({ until, instead }: CountdownProps) {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const tick = () => {
      const at = Date.now() / 1000;
      setNow(at);
      // At the next full second that is left, and no more once it is over.
      if (until > at) timer = setTimeout(tick, ((until - at) % 1 || 1) * 1000 + 10);
    };
    tick();
    return () => clearTimeout(timer);
  }, [until]);
  return <span aria-hidden="true">{countdown(until, now) ?? instead}</span>;
}
