/** Fields that take what is typed when they are left take it, too, when the page is. */
import { useEffect } from "react";

export function useTypedTaken(): void {
  useEffect(() => {
    const take = () => (document.activeElement as HTMLElement | null)?.blur();
    // Before all others hear of it: what is taken is an edit, and those are kept as the page ends.
    window.addEventListener("pagehide", take, true);
    return () => window.removeEventListener("pagehide", take, true);
  }, []);
}
