/** What each member of the fleet does, in a page as in Node: it counts together with the others. */
import { AsyncState, QTasks } from '../../../src/index.js';
import type { StorageAdapter } from '../../../src/storage.js';

/** How many increments are made at once; they travel together. */
const batch = 10;

/** `n` counts what all have made, and each member has a field of its own. */
export class Counter extends AsyncState<Record<string, number>> {
  static readonly id = 'counter';
}

/** One of those that count. */
export class Member {
  /** How many increments have been made, as far as it was told. */
  made = 0;
  /** The greatest count that it was told of by others or itself. */
  seen = 0;
  readonly #name: string;
  readonly #app: QTasks;

  constructor(name: string, app: string, storage: StorageAdapter) {
    this.#name = name;
    this.#app = new QTasks({ name: app, storage });
  }

  get #counter() {
    return this.#app.session('ann').state(Counter);
  }

  /** Watches from now on. */
  watch(): void {
    const follow = async (): Promise<void> => {
      for await (const { n = 0 } of this.#counter.changes()) this.seen = Math.max(this.seen, n);
    };
    void follow();
  }

  /** Increments that often; rejects with the first error. */
  async count(times: number): Promise<void> {
    for (let done = 0; done < times; done += batch) {
      await Promise.all(Array.from({ length: batch }, () => this.#increment()));
    }
  }

  async #increment(): Promise<void> {
    const name = this.#name;
    await this.#counter.update((now) => ({
      n: (now.n ?? 0) + 1,
      [name]: (now[name] ?? 0) + 1,
    }));
    this.made++;
  }

  close(): Promise<void> {
    return this.#app.close();
  }
}
