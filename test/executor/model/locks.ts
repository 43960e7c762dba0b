/** A storage that has nothing but locks: slow ones, that may fail to be taken or given back. */
import type { LockPlace, StorageAdapter } from '../../../src/index.js';

export class Locks implements Pick<StorageAdapter, 'name' | 'scope' | 'lock'> {
  readonly name = 'locks';
  readonly scope = 'runtime';
  readonly failures: Error[] = [];
  readonly #pause: () => Promise<void>;
  readonly #failing: number;
  readonly #stuck: number;
  /** Who waits for each that is held. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #taken = 0;
  #released = 0;
  readonly violations: string[] = [];

  constructor(pause: () => Promise<void>, failing: number, stuck: number) {
    this.#pause = pause;
    this.#failing = failing;
    this.#stuck = stuck;
  }

  /** How many are held. */
  get held(): number {
    return this.#waiting.size;
  }

  /** Deaf to the signal, so that it grants what nobody waits for any more. */
  async lock({ session }: LockPlace): Promise<() => Promise<void>> {
    const isFailing = ++this.#taken % this.#failing === 0;
    await this.#pause();
    if (isFailing) throw this.#failure('is not granted');
    const queue = this.#waiting.get(session);
    if (queue) await new Promise<void>((granted) => queue.push(granted));
    else this.#waiting.set(session, []);
    let isHeld = true;
    return () => {
      if (!isHeld) this.violations.push('a lock is given back once');
      isHeld = false;
      return this.#release(session);
    };
  }

  async #release(session: string): Promise<void> {
    const next = this.#waiting.get(session)?.shift();
    if (next) next();
    else this.#waiting.delete(session);
    const isFailing = ++this.#released % this.#stuck === 0;
    await this.#pause();
    if (isFailing) throw this.#failure('is not given back');
  }

  #failure(message: string): Error {
    const error = new Error(message);
    this.failures.push(error);
    return error;
  }

  read(): Promise<never> {
    return Promise.reject(new Error('there are no buckets'));
  }

  commit(): Promise<never> {
    return this.read();
  }

  async *list(): AsyncGenerator<never> {}

  async close(): Promise<void> {}
}
