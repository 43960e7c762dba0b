/** Tells a script of package.json that it has to end. */

/**
 * Calls back, once, on SIGINT and SIGTERM, and with SIGTERM where npm has gone: npm passes the signal
 * to the shell around a script, and that dies without passing it on.
 * @param {(signal: 'SIGINT' | 'SIGTERM') => void} end
 */
export function onEnd(end) {
  let ended = false;
  /** @param {'SIGINT' | 'SIGTERM'} signal */
  const once = (signal) => {
    if (!ended) end(signal);
    ended = true;
  };
  process.on('SIGINT', once);
  process.on('SIGTERM', once);
  const shell = process.ppid;
  if (process.env.npm_lifecycle_event)
    setInterval(() => process.ppid !== shell && once('SIGTERM'), 250).unref();
}
