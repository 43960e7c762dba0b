/** The page's own state: what is chosen, what runs there, what was printed. */
import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Run, StorageAdapter } from 'qtasks-lite';
import { type Choice, chosen, remember, type Store } from '../host/choice.js';
import type { Host } from '../host/host.js';
import { openHost, sessionOf } from '../host/open.js';
import { storageOf } from '../host/storages.js';
import { whyNoRedis } from '../host/why-no-redis.js';
import { Recorder } from './recorder.js';

/** Where things happen from one choice to the next. */
export interface Stage {
  readonly choice: Choice;
  readonly host: Host;
  readonly storage: StorageAdapter;
  /** The visitor's. */
  readonly session: string;
}

/** How long a choice waits for what the one before has left, in milliseconds. */
const patience = 3_000;

export class Playground {
  readonly choice: Signal<Choice>;
  readonly recorder = new Recorder();
  readonly printed: Signal<readonly string[]> = signal([]);
  readonly #stage = signal<Stage | undefined>(undefined);
  readonly #trouble = signal('');
  #changing: Promise<void> = Promise.resolve();
  #stop = (): void => {};

  constructor() {
    this.choice = signal(chosen((store) => this.whyNot(store) === undefined));
    this.#changing = this.#change();
  }

  /** `undefined` while it is being made. */
  get stage(): ReadonlySignal<Stage | undefined> {
    return this.#stage;
  }

  /** Why there is no stage. */
  get trouble(): ReadonlySignal<string> {
    return this.#trouble;
  }

  /** Why a storage cannot be chosen. */
  whyNot(store: Store): string | undefined {
    return store === 'redis' ? whyNoRedis() : undefined;
  }

  choose(choice: Partial<Choice>): void {
    this.choice.value = { ...this.choice.value, ...choice };
    remember(this.choice.value);
    this.#changing = this.#changing.then(() => this.#change());
  }

  async #change(): Promise<void> {
    const choice = this.choice.value;
    if (this.#stage.value?.choice === choice) return;
    const before = this.#stage.value;
    this.#stage.value = undefined;
    try {
      if (before) await this.#leave(before.host);
      this.#stop();
      // First: whoever is not let in must leave no workers behind.
      const session = await sessionOf(choice);
      const [host, storage] = await Promise.all([
        openHost(choice, this.print),
        storageOf(choice.store),
      ]);
      this.#stop = this.recorder.listen(host.app);
      this.#trouble.value = '';
      this.#stage.value = { choice, host, storage, session };
    } catch (error) {
      this.#trouble.value = error instanceof Error ? error.message : String(error);
    }
  }

  /** What runs there may wait for a Redis that is gone: nobody is to be stuck because of that. */
  async #leave(host: Host): Promise<void> {
    const closed = host.close().catch((error) => this.print(String(error)));
    const late = new Promise((resolve) => setTimeout(resolve, patience));
    await Promise.race([closed, late]);
  }

  /** Lets the views follow a call. */
  follow<R extends Run<unknown, unknown>>(run: R, task: string): R {
    const { place, store } = this.choice.value;
    return this.recorder.follow(run, task, `${place}, ${store}`);
  }

  readonly print = (line: string): void => {
    console.info(line);
    this.printed.value = [...this.printed.value, line].slice(-200);
  };
}
