/** What is published of commits, for the watchers of one adapter; the revisions tell what was missed. */
import type { BucketId, Change } from '../../src/storage.js';
import type { Milliseconds } from '../../src/types.js';
import type { Watchers } from '../shared/watchers.js';
import { bucketKey, channelOf, fromField, fromText } from './keys.js';
import { pause, type Transport } from './transport.js';

/** How often revisions are asked for where there is nothing to subscribe to. */
const pollEvery: Milliseconds = 1_000;
/** How long a revision that is new waits for being told of: the message may be on its way. */
const patience: Milliseconds = 200;
/** The first and the longest wait before a stream that has ended is opened again. */
const minBackoff: Milliseconds = 200;
const maxBackoff: Milliseconds = 15_000;

/** A bucket that is watched. */
interface Place {
  readonly id: BucketId;
  /** The revision that was there as it began to be watched; -1: it is not known yet. */
  base: number;
  /** The newest revision that was told; -1: none. */
  told: number;
}

/** The newest revision of which nothing has been missed. */
const knownOf = ({ base, told }: Place): number => Math.max(base, told);

/** Gives the newest revision of a bucket, and the current one, which is empty where it is absent. */
export type Look = (
  key: string,
) => Promise<readonly [newest: string, current: string, ...unknown[]]>;

/** One subscription for all buckets that are watched. */
export class Feed {
  readonly #transport: Transport;
  readonly #watchers: Watchers;
  readonly #look: Look;
  #places = new Map<string, Place>();
  #isDue = false;
  #canListen = true;
  #stop = new AbortController();

  constructor(transport: Transport, watchers: Watchers, look: Look) {
    this.#transport = transport;
    this.#watchers = watchers;
    this.#look = look;
  }

  /** Follows those buckets that are watched by now; all that come in one tick together. */
  update(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      const buckets = this.#watchers.buckets.map((id) => [channelOf(bucketKey(id)), id] as const);
      if (buckets.length === 0) this.close();
      // One that nobody watches any more is let go with the next one that comes.
      else if (buckets.some(([channel]) => !this.#places.has(channel))) {
        const place = (id: BucketId): Place => ({ id, base: -1, told: -1 });
        this.#places = new Map(
          buckets.map(([channel, id]) => [channel, this.#places.get(channel) ?? place(id)]),
        );
        void this.#follow();
      }
    });
  }

  close(): void {
    this.#stop.abort();
    this.#places.clear();
    this.#canListen = true;
  }

  /** Tells of a commit of one's own, if nothing is missing before it. */
  made(key: string, before: number, newest: number, change: Change): void {
    const place = this.#places.get(channelOf(key));
    if (place && isNext(place, before)) this.#tell(place, newest, change);
  }

  /** The former subscription ends once this one hears, so that nothing is missed in between. */
  async #follow(): Promise<void> {
    const former = this.#stop;
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    const places = [...this.#places.values()];
    let fresh = places.filter(({ base }) => base < 0);
    void this.#check(fresh);
    let length = 0;
    const channels = [...this.#places.keys()].filter((channel) => {
      length += channel.length;
      return length < this.#transport.maxLength;
    });
    if (!this.#canListen || channels.length < places.length) void this.#poll(places, signal);
    let wait = minBackoff;
    let hearing = new AbortController();
    const ready = (): void => {
      hearing.abort();
      former.abort();
      wait = minBackoff;
      void this.#check(fresh);
      fresh = places;
    };
    const heard = (channel: string, message: string): void => this.#hear(channel, message);
    while (this.#canListen && !signal.aborted) {
      // A stream may open and say nothing for long.
      hearing.abort();
      hearing = new AbortController();
      void this.#poll(places, hearing.signal);
      const audience = { signal, ready, heard };
      const canListen = await this.#transport.listen(channels, audience).catch(() => true);
      fresh = places;
      if (signal.aborted) break;
      if (!canListen) {
        this.#canListen = false;
        void this.#poll(places, signal);
      } else {
        await pause(wait * (0.5 + Math.random() / 2), signal);
        wait = Math.min(2 * wait, maxBackoff);
        await this.#check(places);
      }
    }
    hearing.abort();
    former.abort();
  }

  async #poll(places: readonly Place[], signal: AbortSignal): Promise<void> {
    for (;;) {
      await pause(pollEvery, signal);
      if (signal.aborted) return;
      await this.#check(places);
    }
  }

  /** Asks for the revisions: where one is new, and not told of soon, anything may have changed. */
  async #check(places: readonly Place[]): Promise<void> {
    const { signal } = this.#stop;
    const news: (() => unknown)[] = [];
    const looks = places.map(async (place) => {
      const [newest, current] = await this.#look(bucketKey(place.id));
      const isNew = (): boolean => Number(newest) > knownOf(place);
      if (place.base < 0) place.base = Number(newest);
      if (!isNew()) return;
      news.push(() => isNew() && this.#tell(place, Number(newest), anything(current)));
    });
    // One that cannot be asked now is asked again later.
    await Promise.allSettled(looks);
    if (news.length > 0) await pause(patience, signal);
    if (!signal.aborted) for (const tell of news) tell();
  }

  #hear(channel: string, message: string): void {
    const place = this.#places.get(channel);
    if (!place) return;
    const [newest, current, before, writer = '', sequence, clear, ...names] = toTexts(message);
    const change = {
      revision: current || null,
      writer: fromText(writer),
      sequence: Number(sequence),
      fields: clear ? ('all' as const) : names.map(fromField),
    };
    const isWhole = isNext(place, Number(before));
    this.#tell(place, Number(newest), isWhole ? change : anything(current));
  }

  #tell(place: Place, newest: number, change: Change): void {
    if (!(newest > place.told)) return;
    place.told = newest;
    this.#watchers.tell(place.id, change);
  }
}

/** Whether nothing was missed before a commit that was made on this revision. */
const isNext = (place: Place, before: number): boolean =>
  before <= knownOf(place) || knownOf(place) < 0;

/** What a watcher is told where nobody knows what has happened. */
const anything = (current: string | undefined): Change => ({
  revision: current || null,
  writer: '',
  sequence: 0,
  fields: 'all',
});

/** What the script has published; of anything else nothing. */
function toTexts(message: string): string[] {
  try {
    const parts: unknown = JSON.parse(message);
    return Array.isArray(parts) ? parts.map(String) : [];
  } catch {
    return [];
  }
}
