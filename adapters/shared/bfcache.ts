/**
 * Pages that are kept while the user is elsewhere, and come back as they were.
 * @see https://web.dev/articles/bfcache
 */

/** Calls back as the page is put away and as it comes back; never in a worker. Returns what stops it. */
export function onPutAway(putAway: () => void, back = (): void => {}): () => void {
  const hide = ({ persisted }: PageTransitionEvent): void => {
    if (persisted) putAway();
  };
  const show = ({ persisted }: PageTransitionEvent): void => {
    if (persisted) back();
  };
  globalThis.addEventListener?.('pagehide', hide);
  globalThis.addEventListener?.('pageshow', show);
  return () => {
    globalThis.removeEventListener?.('pagehide', hide);
    globalThis.removeEventListener?.('pageshow', show);
  };
}
