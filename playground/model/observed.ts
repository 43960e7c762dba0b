/** One state as the page watches it: an app of its own on the same storage, whoever runs the tasks. */
import { type ReadonlySignal, signal } from '@preact/signals';
import { QTasks, type StorageAdapter } from 'qtasks-lite';
import { appName } from '../host/host.js';

/** Who has written a field last: this page's inspector, a task of this tab, or anybody else. */
export type Origin = 'inspector' | 'task' | 'elsewhere';

/** A state, of whatever shape; what does not fit is refused as it is written. */
interface AnyState {
  getAll(): Promise<object>;
  set(field: string, value: unknown): Promise<void>;
  clear(): Promise<void>;
  subscribe(
    listener: (change: {
      readonly changed: readonly string[];
      readonly deleted: readonly string[];
      readonly origin: 'local' | 'remote';
    }) => unknown,
  ): () => void;
}

/** Its class. */
export type StateClass = Parameters<QTasks['state']>[0] & {
  readonly id: string;
  readonly prototype: AnyState;
};

interface Place {
  readonly storage: StorageAdapter;
  /** `""`: the default session. */
  readonly session: string;
}

/** Of a task's write both come, in any order: its app's event and the storage's notice. */
const together = 1_000;

export class Observed {
  readonly id: string;
  readonly #fields = signal<Readonly<Record<string, unknown>>>({});
  readonly #stored = signal<ReadonlySet<string>>(new Set());
  readonly #revision = signal<string | null>(null);
  readonly #origins = signal<Readonly<Record<string, Origin>>>({});
  readonly #trouble = signal('');
  readonly #isLoaded = signal(false);
  readonly #state: AnyState;
  readonly #place: Place;
  readonly #app: QTasks;
  readonly #byTask = new Map<string, number>();
  readonly #elsewhere = new Map<string, number>();
  #reading: Promise<void> | undefined = undefined;
  #isStale = false;

  constructor(stateClass: StateClass, place: Place) {
    this.id = stateClass.id;
    this.#place = place;
    this.#app = new QTasks({ name: appName, storage: place.storage });
    const client = place.session === '' ? this.#app : this.#app.session(place.session);
    this.#state = client.state(stateClass);
    this.#state.subscribe(({ changed, deleted, origin }) => {
      for (const field of [...changed, ...deleted]) this.#wrote(field, origin);
      void this.read();
    });
    void this.read();
  }

  get fields(): ReadonlySignal<Readonly<Record<string, unknown>>> {
    return this.#fields;
  }

  /** The names of what is stored; the others are what the class begins with. */
  get stored(): ReadonlySignal<ReadonlySet<string>> {
    return this.#stored;
  }

  get revision(): ReadonlySignal<string | null> {
    return this.#revision;
  }

  get origins(): ReadonlySignal<Readonly<Record<string, Origin>>> {
    return this.#origins;
  }

  get trouble(): ReadonlySignal<string> {
    return this.#trouble;
  }

  get isLoaded(): ReadonlySignal<boolean> {
    return this.#isLoaded;
  }

  /** The app that runs the tasks has told of a write of its own. */
  writtenByTask(fields: readonly string[]): void {
    for (const field of fields) {
      this.#byTask.set(field, Date.now());
      if (Date.now() - (this.#elsewhere.get(field) ?? 0) < together) this.#mark(field, 'task');
    }
  }

  #wrote(field: string, origin: 'local' | 'remote'): void {
    if (origin === 'local') return this.#mark(field, 'inspector');
    this.#elsewhere.set(field, Date.now());
    const isTask = Date.now() - (this.#byTask.get(field) ?? 0) < together;
    this.#mark(field, isTask ? 'task' : 'elsewhere');
  }

  #mark(field: string, origin: Origin): void {
    this.#origins.value = { ...this.#origins.value, [field]: origin };
  }

  /** Reads it once more, also while it is being read. */
  read(): Promise<void> {
    this.#isStale = true;
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #readAll(): Promise<void> {
    while (this.#isStale) {
      this.#isStale = false;
      await this.#try(async () => {
        const { storage, session } = this.#place;
        const bucket = { app: appName, session, state: this.id };
        const [fields, snapshot] = await Promise.all([this.#state.getAll(), storage.read(bucket)]);
        this.#fields.value = { ...fields };
        this.#stored.value = new Set(snapshot.fields.keys());
        this.#revision.value = snapshot.revision;
      });
    }
    this.#isLoaded.value = true;
  }

  set(field: string, value: unknown): Promise<void> {
    return this.#try(() => this.#state.set(field, value));
  }

  clear(): Promise<void> {
    return this.#try(() => this.#state.clear());
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.#trouble.value = '';
    } catch (error) {
      this.#trouble.value = error instanceof Error ? error.message : String(error);
    }
  }

  close(): Promise<void> {
    return this.#app.close({ drain: 0 });
  }
}
