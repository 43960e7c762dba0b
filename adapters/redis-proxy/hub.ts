/** One connection that listens for all streams: each channel is subscribed to as long as anybody listens. */
import type { Redis } from 'ioredis';
import { unavailable } from './refusal.js';

/** Who listens to channels. */
export interface Listener {
  /** The first is `message` or `pmessage`, then what Redis sends with it. */
  readonly tell: (words: readonly string[]) => void;
  /** The connection was lost: nobody knows what was missed. */
  readonly lost: () => void;
}

/** Names are those of channels, or patterns of such. */
export type Topic = 'channel' | 'pattern';

interface Entry {
  readonly listeners: Set<Listener>;
  readonly ready: Promise<unknown>;
}

/** Listens for many with one connection, which it opens with the first of them. */
export class Hub {
  readonly #open: () => Redis;
  readonly #entries = {
    channel: new Map<string, Entry>(),
    pattern: new Map<string, Entry>(),
  };
  #redis: Redis | undefined = undefined;

  constructor(open: () => Redis) {
    this.#open = open;
  }

  /** Resolves when Redis has confirmed it; rejects with a refusal where it cannot. */
  async add(topic: Topic, name: string, listener: Listener): Promise<void> {
    const entries = this.#entries[topic];
    const entry = entries.get(name) ?? this.#enter(topic, name);
    entry.listeners.add(listener);
    try {
      await entry.ready;
    } catch {
      if (entries.get(name) === entry) entries.delete(name);
      throw unavailable();
    }
  }

  /** Ends what `add` began, also while that waits. */
  remove(topic: Topic, name: string, listener: Listener): void {
    const entry = this.#entries[topic].get(name);
    if (!entry?.listeners.delete(listener) || entry.listeners.size > 0) return;
    this.#entries[topic].delete(name);
    const ended =
      topic === 'channel' ? this.#redis?.unsubscribe(name) : this.#redis?.punsubscribe(name);
    // A connection that is lost is subscribed to nothing.
    ended?.catch(() => {});
  }

  close(): void {
    this.#drop();
    this.#redis?.disconnect();
    this.#redis = undefined;
  }

  #enter(topic: Topic, name: string): Entry {
    this.#redis ??= this.#connect();
    const ready = topic === 'channel' ? this.#redis.subscribe(name) : this.#redis.psubscribe(name);
    const entry = { listeners: new Set<Listener>(), ready };
    this.#entries[topic].set(name, entry);
    return entry;
  }

  #connect(): Redis {
    const redis = this.#open();
    redis.on('message', (channel, payload) => {
      this.#tell('channel', channel, ['message', channel, payload]);
    });
    redis.on('pmessage', (pattern, channel, payload) => {
      this.#tell('pattern', pattern, ['pmessage', pattern, channel, payload]);
    });
    redis.on('close', () => this.#drop());
    return redis;
  }

  #tell(topic: Topic, name: string, words: readonly string[]): void {
    for (const listener of [...(this.#entries[topic].get(name)?.listeners ?? [])]) {
      listener.tell(words);
    }
  }

  /** Forgets all who listen, then tells them. */
  #drop(): void {
    const entries = [...this.#entries.channel.values(), ...this.#entries.pattern.values()];
    this.#entries.channel.clear();
    this.#entries.pattern.clear();
    const listeners = new Set(entries.flatMap((entry) => [...entry.listeners]));
    for (const listener of listeners) listener.lost();
  }
}
