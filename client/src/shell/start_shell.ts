/** Lets the browser open this page without the server. */

/** Register the service worker of a built page; a browser or an address that has none goes without. */
export function startShell(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  // After the page has loaded what it needs: the worker fetches the rest.
  const register = () => {
    navigator.serviceWorker
      .register("/service-worker.js", { updateViaCache: "none" })
      .catch((error: unknown) => {
        console.warn("This page will not open without the server", error);
      });
  };
  if (document.readyState === "complete") register();
  else window.addEventListener("load", register, { once: true });
}
