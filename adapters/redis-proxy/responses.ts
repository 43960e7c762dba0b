/** What an endpoint takes, and how a refusal of it is answered. */
import { malformed, Refusal } from './refusal.js';
import { ReplyWriter } from './reply.js';

/** Writes as the request wants it; throws a refusal where there is no such format. */
export function writerFor(request: Request): ReplyWriter {
  const format = request.headers.get('upstash-response-format') ?? 'json';
  if (format.toLowerCase() !== 'json') throw malformed('unsupported response format');
  return new ReplyWriter(request.headers.get('upstash-encoding')?.toLowerCase() === 'base64');
}

class MethodRefusal extends Refusal {
  readonly allowed: string;

  constructor(allowed: readonly string[]) {
    super(405, 'ERR method not allowed');
    this.allowed = allowed.join(', ');
  }
}

/** Throws a refusal of other methods. */
export function allow(request: Request, methods: readonly string[]): void {
  if (!methods.includes(request.method)) throw new MethodRefusal(methods);
}

/** The answer to whatever was thrown: what is no refusal is a fault of the proxy, and stays its own. */
export function refuse(error: unknown, request: Request, headers: Headers): Response {
  const refusal = error instanceof Refusal ? error : new Refusal(500, 'ERR the proxy failed');
  const { status, message, retryAfter } = refusal;
  headers.set('content-type', 'application/json');
  if (status === 401) headers.set('www-authenticate', 'Bearer');
  if (refusal instanceof MethodRefusal) headers.set('allow', refusal.allowed);
  if (retryAfter !== undefined) headers.set('retry-after', String(Math.ceil(retryAfter / 1000)));
  const body = request.method === 'HEAD' ? null : JSON.stringify({ error: message });
  return new Response(body, { status, headers });
}
