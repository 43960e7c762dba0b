/**
 * The bucket engine: the order of calls, group commit, optimistic updates and shared reads of one
 * state of one session, over an adapter that only knows strings.
 */
import { Content, Draft, toRaw, toStored, VERSION_NAME, type Writable } from './content.js';
import type { StateDefinition } from './definition.js';
import { QTasksError } from './errors.js';
import { Listeners } from './listeners.js';
import { type Engine, Port } from './port.js';
import type { Commit, CommitResult, Revision, Snapshot } from './storage.js';

/** After how many conflicts a group takes the lock, and after how many it gives up. */
const lockAfter = 8;
const giveUpAfter = 100;
/** The longest wait after a conflict, in milliseconds. */
const maxBackoff = 64;

/** A queued call that writes. */
interface Write {
  /** Makes its changes, or throws and makes none. May be called again on fresher fields. */
  run(draft: Draft): unknown;
  /** Whether it has to see the fields. */
  readonly needsContent: boolean;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Calls that travel as one commit, and reads that wait for it. */
interface Group {
  readonly writes: Write[];
  readonly readers: (() => void)[];
}

/** How far a group has come. */
interface Progress {
  conflicts: number;
  /** Whether what is known was read after the calls were made. */
  isFresh: boolean;
  release: (() => Promise<void>) | undefined;
}

/** The newest fields that are known, and at which revision. */
interface Known {
  readonly revision: Revision | null;
  readonly content: Content;
  /** Set where they were migrated in memory: the next commit has to replace what is stored. */
  readonly isMigrated: boolean;
}

/** A read that those share who ask before it is sent. */
interface SharedRead {
  /** Stored names; `undefined`: all. */
  fields: string[] | undefined;
  /** How many writes were queued before it: it has to see them. */
  readonly after: number;
  result: Promise<Snapshot> | undefined;
}

/** One state of one session of one app. */
export class Bucket {
  readonly #engine: Engine;
  readonly #definition: StateDefinition;
  /** The group that is on its way, and the one that collects meanwhile. */
  #current: Group | undefined = undefined;
  #next: Group | undefined = undefined;
  #known: Known | undefined = undefined;
  /** Grows with each commit, so that a read knows whether it may be outdated. */
  #commits = 0;
  /** What that was as the newest read was sent. */
  #askedAt = 0;
  /** How many writes were queued so far. */
  #writes = 0;
  #read: SharedRead | undefined = undefined;
  /** Whether the calls of one tick are sent as one commit: where a commit leaves this runtime. */
  readonly #collects: boolean;
  readonly #port: Port;
  readonly listeners: Listeners;

  constructor(engine: Engine, definition: StateDefinition, session: string) {
    this.#engine = engine;
    this.#definition = definition;
    this.#collects = engine.storage.scope !== 'runtime';
    const id = { app: engine.runtime.name, session, state: definition.id };
    this.#port = new Port(engine.storage, Object.freeze(id));
    this.listeners = new Listeners(engine, this.#port, () => this.readAll());
  }

  /** Whether it may be forgotten: nothing is on its way and nobody listens. */
  get isIdle(): boolean {
    return !this.#isBusy && !this.#read && this.listeners.isEmpty;
  }

  get #isBusy(): boolean {
    return this.#current !== undefined || this.#next !== undefined;
  }

  /** Resolves once all that is queued now has been tried. */
  async flush(): Promise<void> {
    const group = this.#next ?? this.#current;
    if (group) await new Promise<void>((resolve) => group.readers.push(resolve));
  }

  // Writes

  set(field: string, taken: unknown): Promise<void> {
    const isAlone = !this.#isBusy && !this.#collects && !this.#definition.isVersioned;
    if (isAlone) return this.#setAlone(field, taken);
    return this.#write((draft) => draft.put(field, taken), false);
  }

  /** Most writes are these: one field, nobody else, nothing to see first. */
  async #setAlone(field: string, taken: unknown): Promise<void> {
    this.#writes++;
    const group: Group = { writes: [], readers: [] };
    this.#current = group;
    try {
      const { writer } = this.#engine;
      const sequence = this.#engine.nextSequence();
      const set = new Map<string, string>().set(toStored(field), toRaw(taken, field));
      const result = await this.#port.commit({ writer, sequence, ttl: this.#definition.ttl, set });
      if (!result.ok) throw this.#conflict('the storage refused a write that has no condition');
      const content = isRepeat(result) ? undefined : this.#contentAt(result.previous);
      content?.set(field, taken);
      this.#known = content && toKnown(result.revision, content);
      if (this.listeners.isHeard)
        this.listeners.tell({ changed: [field], deleted: [], origin: 'local' });
    } catch (error) {
      this.#known = undefined;
      throw error;
    } finally {
      this.#finish(group.readers);
    }
  }

  /** The fields at a revision, if they are known; whoever asks may change them. */
  #contentAt(revision: Revision | null): Content | undefined {
    if (revision === null) return new Content();
    return revision === this.#known?.revision ? this.#known.content : undefined;
  }

  delete(field: string): Promise<void> {
    return this.#write((draft) => draft.remove(field), false);
  }

  clear(): Promise<void> {
    // Listeners are told the names of what was there.
    return this.#write((draft) => draft.wipe(), this.listeners.isHeard);
  }

  /**
   * Changes fields by what they are now.
   * @param change gets a copy of all fields; returns taken values
   */
  update(
    change: (now: Record<string, unknown>) => Iterable<readonly [field: string, taken: unknown]>,
  ): Promise<Record<string, unknown>> {
    const { initial } = this.#definition;
    return this.#write((draft) => {
      const content = draft.content ?? new Content();
      for (const [field, taken] of change(content.view(initial))) draft.put(field, taken);
      return content.view(initial);
    }, true);
  }

  #write<T>(run: (draft: Draft) => T, needsContent: boolean): Promise<T> {
    this.#writes++;
    return new Promise<T>((resolve, reject) => {
      // A class with versions has to see what is there, to migrate it or to leave it alone.
      const needs = needsContent || this.#definition.isVersioned;
      const write = { run, needsContent: needs, resolve, reject } as Write;
      if (this.#next) {
        this.#next.writes.push(write);
        return;
      }
      this.#next = { writes: [write], readers: [] };
      if (this.#current) return;
      if (this.#collects) queueMicrotask(() => this.#startNext());
      else this.#startNext();
    });
  }

  #startNext(): void {
    this.#current = this.#next;
    this.#next = undefined;
    if (this.#current) void this.#commitGroup(this.#current);
  }

  /** Commits until that has succeeded or failed, tells the callers, and begins the next group. */
  async #commitGroup({ writes, readers }: Group): Promise<void> {
    const progress: Progress = { conflicts: 0, isFresh: false, release: undefined };
    const needsContent = writes.some((write) => write.needsContent);
    try {
      for (let isDone = false; !isDone; ) {
        const base = needsContent ? (this.#known ?? absent) : undefined;
        const { draft, outcomes } = this.#draft(writes, base);
        if (base && !progress.isFresh && isSuspect(draft, outcomes)) {
          this.#known = this.#toKnown(await this.#port.read(undefined));
          progress.isFresh = true;
        } else if (draft.isEmpty) {
          settleAll(writes, outcomes);
          isDone = true;
        } else {
          const result = await this.#port.commit(this.#toCommit(draft, base));
          isDone = result.ok;
          if (!result.ok) await this.#conflicted(result.current, progress);
          else this.#succeeded(draft, base, result, () => settleAll(writes, outcomes));
        }
      }
    } catch (error) {
      this.#known = undefined;
      for (const { reject } of writes) reject(error);
    }
    if (progress.release) await this.#unlock(progress.release);
    this.#finish(readers);
  }

  #finish(readers: readonly (() => void)[]): void {
    this.#commits++;
    this.#current = undefined;
    for (const reader of readers) reader();
    this.#startNext();
  }

  /** Somebody else has written: the next try begins on what is there now. */
  async #conflicted(current: Snapshot, progress: Progress): Promise<void> {
    this.#known = this.#toKnown(current);
    progress.isFresh = true;
    if (++progress.conflicts >= giveUpAfter)
      throw this.#conflict(`${giveUpAfter} attempts to write met another writer each`);
    if (progress.conflicts === lockAfter) progress.release = await this.#port.lock();
    else if (!progress.release) await this.#backOff(progress.conflicts);
  }

  /** Lets every call make its changes; one that throws rejects for itself. */
  #draft(
    writes: readonly Write[],
    base: Known | undefined,
  ): { readonly draft: Draft; readonly outcomes: Outcome[] } {
    const draft = new Draft(base?.content.copy());
    if (base?.isMigrated) {
      draft.clear = true;
      for (const name of base.content.names()) draft.set.set(name, base.content.taken(name));
    }
    const outcomes = writes.map(({ run }): Outcome => {
      try {
        return { value: run(draft) };
      } catch (error) {
        return { error: { thrown: error } };
      }
    });
    return { draft, outcomes };
  }

  #toCommit(draft: Draft, base: Known | undefined): Commit {
    const { writer } = this.#engine;
    const { ttl, version } = this.#definition;
    const commit: Writable<Commit> = { writer, sequence: this.#engine.nextSequence(), ttl };
    if (base) commit.ifRevision = base.revision;
    if (draft.content?.isEmpty) commit.clear = true;
    else {
      draft.fill(commit);
      if (version > 1) commit.set = new Map(commit.set).set(VERSION_NAME, String(version));
    }
    return commit;
  }

  /** Tells the callers, then the listeners, of a commit that was made. */
  #succeeded(draft: Draft, base: Known | undefined, result: Made, settle: () => void): void {
    const { revision, previous } = result;
    const known = this.#contentAt(previous);
    const isHeard = this.listeners.isHeard;
    const before = isHeard && draft.clear ? (base?.content ?? known)?.names() : undefined;
    const content = draft.content ?? known ?? (draft.clear ? new Content() : undefined);
    if (!draft.content && content) draft.applyTo(content);
    // After a repeat somebody else's commit may stand where this one is believed to.
    const isOurs = !isRepeat(result) && (!base || base.revision === previous);
    this.#known =
      content && isOurs ? toKnown(content.isEmpty ? null : revision, content) : undefined;
    settle();
    if (!isHeard) return;
    const gone = before ?? [...draft.deleted];
    const deleted = gone.filter((name) => !draft.set.has(name));
    this.listeners.tell({ changed: [...draft.set.keys()], deleted, origin: 'local' });
  }

  /** What goes wrong here cannot be told to the callers: they have their answers. */
  async #unlock(release: () => Promise<void>): Promise<void> {
    try {
      await release();
    } catch (error) {
      this.#engine.runtime.report(error);
    }
  }

  #conflict(problem: string): QTasksError {
    return new QTasksError('STORAGE_CONFLICT', `state "${this.#definition.id}": ${problem}`);
  }

  /** Full jitter: writers that met once do not meet again. */
  async #backOff(conflicts: number): Promise<void> {
    if (conflicts === 1) return;
    const longest = Math.min(maxBackoff, 2 ** conflicts);
    const { clock } = this.#engine.runtime;
    await new Promise<void>((resolve) => clock.setTimeout(resolve, Math.random() * longest));
  }

  // Reads

  /** Reads a field or, by `undefined`, all; those of one tick share one read. */
  read(field: string | undefined): Promise<Snapshot> {
    let shared = this.#read;
    if (shared?.after !== this.#writes) {
      shared = { fields: [VERSION_NAME], after: this.#writes, result: undefined };
      this.#read = shared;
    }
    if (field === undefined) shared.fields = undefined;
    else if (!shared.fields?.includes(toStored(field))) shared.fields?.push(toStored(field));
    shared.result ??= this.#readSoon(shared);
    return shared.result;
  }

  /** Reads all fields, and remembers them unless they were written meanwhile. */
  async readAll(): Promise<Content> {
    const snapshot = await this.read(undefined);
    const content = Content.from(snapshot);
    if (!this.#current && this.#askedAt === this.#commits) {
      this.#known = toKnown(snapshot.revision, content);
    }
    return content;
  }

  async #readSoon(shared: SharedRead): Promise<Snapshot> {
    await null;
    if (this.#isBusy) await this.flush();
    if (this.#read === shared) this.#read = undefined;
    this.#askedAt = this.#commits;
    const snapshot = await this.#port.read(shared.fields);
    if (!this.#isOlder(snapshot)) return snapshot;
    await this.#migrate();
    return this.#port.read(shared.fields);
  }

  /** Writes nothing but what the migration changes. */
  #migrate(): Promise<void> {
    return this.#write(() => {}, true);
  }

  // Versions

  /** @throws STATE_INVALID where the data is newer than the class */
  #isOlder({ revision, fields }: Snapshot): boolean {
    const stored = Number(fields.get(VERSION_NAME) ?? 1);
    const { id, version } = this.#definition;
    if (stored > version) {
      const message = `state "${id}": the stored data is of version ${stored}, newer than version ${version} of the class; it is left alone`;
      throw new QTasksError('STATE_INVALID', message);
    }
    // Not whether there are fields: only some may have been asked for.
    return stored < version && revision !== null;
  }

  #toKnown(snapshot: Snapshot): Known {
    const isMigrated = this.#isOlder(snapshot);
    const content = Content.from(snapshot);
    const { revision } = snapshot;
    if (!isMigrated || content.isEmpty) return toKnown(revision, content);
    const from = Number(snapshot.fields.get(VERSION_NAME) ?? 1);
    return { revision, content: this.#definition.migrate(content, from), isMigrated };
  }
}

/** What a call resolves or rejects to. */
interface Outcome {
  readonly value?: unknown;
  readonly error?: { readonly thrown: unknown };
}

const toKnown = (revision: Revision | null, content: Content): Known => ({
  revision,
  content,
  isMigrated: false,
});

/** A commit that was made. */
type Made = Extract<CommitResult, { readonly ok: true }>;

/** Whether the adapter had seen the commit before: its answer tells what is there by now. */
const isRepeat = ({ revision, previous }: Made): boolean => revision === previous;

/** Nothing; never changed, only copied. */
const absent = toKnown(null, new Content());

/** Whether it has to be tried on what surely is there: calls failed, or would not write at all. */
const isSuspect = (draft: Draft, outcomes: readonly Outcome[]): boolean =>
  draft.isEmpty || outcomes.some(({ error }) => error !== undefined);

function settleAll(writes: readonly Write[], outcomes: readonly Outcome[]): void {
  writes.forEach(({ resolve, reject }, index) => {
    const outcome = outcomes[index];
    if (outcome?.error) reject(outcome.error.thrown);
    else resolve(outcome?.value);
  });
}
