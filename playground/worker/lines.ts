/** What tasks log in a worker goes to its page, beside the library's own messages. */
const print = (line: string): void => postMessage({ line });

export const logger = { info: print, warn: print, error: print };
