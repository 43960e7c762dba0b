/**
 * The few globals that a page, a worker and Node share. Only `src/tsconfig.json` reads this file:
 * whatever is not declared here does not compile in the core.
 */

interface AbortSignal {
  readonly aborted: boolean;
  // The DOM declares `any`; the core treats a reason as unknown.
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

declare class AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}

declare class URL {
  constructor(url: string, base?: string);
  readonly href: string;
  toJSON(): string;
}

declare class TextEncoder {
  encode(text: string): Uint8Array;
}

declare function setTimeout(callback: () => void, delay?: number): unknown;
declare function clearTimeout(handle: unknown): void;
declare function queueMicrotask(callback: () => void): void;
declare function structuredClone<T>(value: T): T;

declare class MessageChannel {
  readonly port1: MessagePort;
  readonly port2: MessagePort;
}

interface MessagePort {
  onmessage: (() => void) | null;
  postMessage(message: unknown): void;
  close(): void;
}
