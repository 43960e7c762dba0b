/** `/subscribe` and `/psubscribe`: streams of messages, each for one caller and for a bounded time. */
import type { Clock } from '../../src/clock.js';
import type { EpochMs, Milliseconds } from '../../src/types.js';
import type { Caller } from './access.js';
import { EventStream } from './event-stream.js';
import type { Hub, Listener, Topic } from './hub.js';
import type { Limits } from './limits.js';
import { forbidden, malformed, Refusal, tooLarge } from './refusal.js';
import { checkChannel } from './session-commands.js';

/** How often a stream shows that it lives: well below what proxies wait for, mostly 60 s. */
const heartbeat: Milliseconds = 20_000;

/** What a stream is opened for. */
export interface Subscription {
  readonly caller: Caller;
  readonly topic: Topic;
  readonly names: readonly string[];
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

/** Opens streams, counts them, and ends them in time. */
export class Streams {
  readonly #hub: Hub;
  readonly #limits: Limits;
  readonly #clock: Clock;
  readonly #open = new Map<EventStream, string>();
  #pinging: unknown = undefined;

  constructor(hub: Hub, limits: Limits, clock: Clock) {
    this.#hub = hub;
    this.#limits = limits;
    this.#clock = clock;
  }

  /** The body of the answer; rejects with a refusal. */
  async open(subscription: Subscription): Promise<ReadableStream<Uint8Array>> {
    const { caller, topic, signal } = subscription;
    if (signal.aborted) throw malformed('the request ended early');
    const names = [...new Set(subscription.names)];
    this.#check(caller, topic, names);
    this.#makeRoom(caller);
    const listener: Listener = {
      tell: (words) => stream.send(words),
      lost: () => stream.close(),
    };
    const ends: (() => void)[] = [];
    const stream = new EventStream({
      bytes: this.#limits.streamBytes,
      onEnd: () => {
        this.#forget(stream);
        for (const end of ends) end();
        for (const name of names) this.#hub.remove(topic, name, listener);
      },
    });
    this.#remember(stream, caller);
    ends.push(this.#closeAt(stream, expiryOf(caller)), closeOn(stream, signal));
    const word = topic === 'channel' ? 'subscribe' : 'psubscribe';
    let count = 0;
    const add = async (name: string): Promise<void> => {
      await this.#hub.add(topic, name, listener);
      stream.send([word, name, String(++count)]);
    };
    try {
      await Promise.all(names.map(add));
    } catch (error) {
      stream.close();
      throw error;
    }
    return stream.body;
  }

  /** Ends all streams. */
  close(): void {
    for (const stream of [...this.#open.keys()]) stream.close();
  }

  #check(caller: Caller, topic: Topic, names: readonly string[]): void {
    if (names.length > this.#limits.channels) throw tooLarge();
    if (caller.kind === 'session') {
      // A pattern has no form that could not also mean something else.
      if (topic === 'pattern') throw forbidden();
      for (const name of names) checkChannel(name, caller.claims);
    }
    if (names.length === 0 || names.includes('')) throw malformed('expected the name of a channel');
  }

  #makeRoom(caller: Caller): void {
    const own = [...this.#open.values()].filter((name) => name === caller.name).length;
    const most = caller.kind === 'session' ? this.#limits.streamsPerSession : Infinity;
    if (own < most && this.#open.size < this.#limits.streams) return;
    throw new Refusal(429, 'ERR too many streams', heartbeat);
  }

  #remember(stream: EventStream, caller: Caller): void {
    this.#open.set(stream, caller.name);
    this.#pinging ??= this.#clock.setTimeout(() => this.#ping(), heartbeat);
  }

  #forget(stream: EventStream): void {
    this.#open.delete(stream);
    if (this.#open.size > 0) return;
    this.#clock.clearTimeout(this.#pinging);
    this.#pinging = undefined;
  }

  #ping(): void {
    this.#pinging = this.#clock.setTimeout(() => this.#ping(), heartbeat);
    for (const stream of [...this.#open.keys()]) stream.ping();
  }

  #closeAt(stream: EventStream, at: EpochMs | undefined): () => void {
    if (at === undefined) return () => {};
    const timer = this.#clock.setTimeout(() => stream.close(), at - this.#clock.now());
    return () => this.#clock.clearTimeout(timer);
  }
}

const expiryOf = (caller: Caller) => (caller.kind === 'session' ? caller.claims.exp : undefined);

/** Closes a stream when its client has gone; the stream's own cancel is not told in every runtime. */
function closeOn(stream: EventStream, signal: AbortSignal): () => void {
  const close = (): void => stream.close();
  signal.addEventListener('abort', close, { once: true });
  return () => signal.removeEventListener('abort', close);
}
