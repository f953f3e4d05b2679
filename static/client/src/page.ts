/** What the page tells about itself and the network. */
export interface PageEvents {
  /** The network or the page has changed: links may be dead without knowing it. */
  suspect(): void;
  /** The page goes and will not come back. */
  unload(): void;
}

let watched = false;

/** Reports the events of this page or worker; only the first call has an effect. */
export function watchPage(on: PageEvents): void {
  if (watched || typeof addEventListener !== "function") return;
  watched = true;
  const suspect = (): void => on.suspect();
  for (const type of ["online", "offline", "pageshow"]) addEventListener(type, suspect);
  addEventListener("pagehide", (e) => {
    if (!(e as PageTransitionEvent).persisted) on.unload();
  });
  if (typeof document === "undefined") return;
  document.addEventListener("resume", suspect);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") on.suspect();
  });
}
