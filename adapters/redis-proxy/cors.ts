/** Which pages of other origins may read the proxy's answers. This keeps out browsers, nobody else. */
import { check } from '../../src/options.js';

/** The headers that an Upstash client sends; `*` would not stand for `authorization`. */
const allowed = [
  'authorization',
  'content-type',
  'cache-control',
  'upstash-encoding',
  'upstash-response-format',
  'upstash-sync-token',
  'upstash-telemetry-runtime',
  'upstash-telemetry-platform',
  'upstash-telemetry-sdk',
  'upstash-telemetry-retry',
].join(', ');

const originsKind = [
  '"*", an origin like "https://app.example", or an array of those',
  (value: unknown) =>
    (Array.isArray(value) ? value : [value]).every(
      (origin) => origin === '*' || (typeof origin === 'string' && isOrigin(origin)),
    ),
] as const;

/** Adds the headers of one list of origins to answers. */
export class Cors {
  readonly #origins: ReadonlySet<string>;

  /** @throws OPTION_INVALID */
  constructor(origins: string | readonly string[] = []) {
    check('redisProxy: option "cors"', origins, originsKind);
    this.#origins = new Set(typeof origins === 'string' ? [origins] : origins);
  }

  /** The answer to a preflight. */
  preflight(): Response {
    const headers = {
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, OPTIONS',
      'access-control-allow-headers': allowed,
      // As long as Chromium keeps it.
      'access-control-max-age': '7200',
    };
    return new Response(null, { status: 204, headers });
  }

  /** Lets the page of a request read the answer, if its origin is on the list. */
  mark(request: Request, headers: Headers): void {
    const all = this.#origins.has('*');
    if (!all) headers.append('vary', 'origin');
    const origin = request.headers.get('origin');
    if (origin === null || !(all || this.#origins.has(origin))) return;
    headers.set('access-control-allow-origin', all ? '*' : origin);
    headers.set('access-control-expose-headers', 'upstash-sync-token, retry-after');
  }
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
