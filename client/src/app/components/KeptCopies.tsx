/** Copies of refused work that this browser keeps, also of canvases that one may not open any more. */
import { useCallback, useEffect, useState } from "react";
import { ToastList } from "../../editor/components/ToastList";
import { Toasts } from "../../editor/store/toasts";
import { pageBrowser, type RefusedWork } from "../../offline";
import type { User } from "../../protocol";
import { CopyCard } from "./CopyCard";

const toasts = new Toasts();

export function KeptCopies({ user }: { user: User }) {
  const [copies, setCopies] = useState<readonly RefusedWork[]>([]);
  const load = useCallback(async () => {
    const browser = await pageBrowser().store;
    setCopies(await browser.refused(user.id).catch(() => []));
  }, [user.id]);
  useEffect(() => {
    void load();
  }, [load]);
  if (copies.length === 0) return null;
  const discard = async ({ id, canvas }: RefusedWork) => {
    try {
      const browser = await pageBrowser().store;
      await browser.canvas(user.id, canvas).discard(id);
    } catch (error) {
      toasts.error("Could not discard the copy", error);
    }
    await load();
  };
  return (
    <section className="card" data-testid="kept-copies">
      <h2>Kept as a copy</h2>
      <p className="faint">
        The server did not take these edits. This browser keeps them until you discard them.
      </p>
      {[...copies].reverse().map((copy) => (
        <CopyCard
          key={copy.id}
          copy={copy}
          onDiscard={() => void discard(copy)}
          onError={(what, error) => toasts.error(what, error)}
        />
      ))}
      <ToastList toasts={toasts} />
    </section>
  );
}
