/** What `npm start` says in the page's head: why there is no Redis, or nothing where there is one. */
export function whyNoRedis(): string | undefined {
  const meta = document.querySelector<HTMLMetaElement>('meta[name="redis"]');
  const reason = meta?.content ?? 'this is a static page; npm start serves one with a proxy.';
  return reason === '' ? undefined : reason;
}
