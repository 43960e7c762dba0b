/** The fields of a bucket, decoded as far as that pays, and the changes that a commit makes to them. */
import { decode, encode, isPrimitive } from './codec.js';
import { put } from './records.js';
import type { Commit, Snapshot } from './storage.js';

/** Stored names that begin so are the library's own; a user's own name that does gets one more. */
const own = '\0';

/** Where the version of the data is stored. */
export const VERSION_NAME = '\0v';

export const toStored = (field: string): string => (field.startsWith(own) ? own + field : field);

const isOwn = (name: string): boolean => name.startsWith(own) && !name.startsWith(own, 1);

const toField = (name: string): string => (name.startsWith(own) ? name.slice(1) : name);

/** The users' names among stored ones. */
export const toFields = (names: readonly string[]): string[] =>
  names.filter((name) => !isOwn(name)).map(toField);

/** The same object while it is being built. */
export type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** A value that has to be decoded anew for each reader, so that nobody gets another one's copy. */
export class Rich {
  readonly raw: string;

  constructor(raw: string) {
    this.raw = raw;
  }
}

/** Takes a value as it is now. @throws VALUE_UNSUPPORTED */
export function take(value: unknown, field: string): unknown {
  return isPrimitive(value) ? value : new Rich(encode(value, field));
}

/** What is stored of a taken value. */
export const toRaw = (taken: unknown, field: string): string =>
  taken instanceof Rich ? taken.raw : encode(taken, field);

/** Objects and arrays stay as they came until somebody asks for them. */
function received(raw: string, field: string): unknown {
  if (raw.startsWith('{') || raw.startsWith('[')) return new Rich(raw);
  try {
    const value = decode(raw, field);
    return isPrimitive(value) ? value : new Rich(raw);
  } catch {
    // Damaged: whoever asks for it is told; the other fields are as good as before.
    return new Rich(raw);
  }
}

const give = (taken: unknown, field: string): unknown =>
  taken instanceof Rich ? decode(taken.raw, field) : taken;

/** The fields of a bucket at one moment. */
export class Content {
  /** Primitives as they are; `undefined` in the place of what is in `#rich`. */
  #plain: Record<string, unknown> = {};
  readonly #rich = new Map<string, Rich>();

  static from({ fields }: Snapshot): Content {
    const content = new Content();
    for (const [name, raw] of fields) {
      if (isOwn(name)) continue;
      const field = toField(name);
      content.set(field, received(raw, field));
    }
    return content;
  }

  copy(): Content {
    const copy = new Content();
    copy.#plain = { ...this.#plain };
    for (const [field, rich] of this.#rich) copy.#rich.set(field, rich);
    return copy;
  }

  get isEmpty(): boolean {
    for (const _ in this.#plain) return false;
    return true;
  }

  names(): string[] {
    return Object.keys(this.#plain);
  }

  has(field: string): boolean {
    return Object.hasOwn(this.#plain, field);
  }

  /** A copy of a value; `undefined` also where there is none. @throws STORAGE_CORRUPT */
  get(field: string): unknown {
    const rich = this.#rich.get(field);
    return rich ? give(rich, field) : this.has(field) ? this.#plain[field] : undefined;
  }

  taken(field: string): unknown {
    return this.#rich.get(field) ?? this.#plain[field];
  }

  set(field: string, taken: unknown): void {
    if (taken instanceof Rich) {
      this.#rich.set(field, taken);
      put(this.#plain, field, undefined);
    } else {
      if (this.#rich.size > 0) this.#rich.delete(field);
      put(this.#plain, field, taken);
    }
  }

  delete(field: string): void {
    this.#rich.delete(field);
    delete this.#plain[field];
  }

  clear(): void {
    this.#rich.clear();
    this.#plain = {};
  }

  /** A copy of all fields, over what stands for those that are not stored. @throws STORAGE_CORRUPT */
  view(initial: Content | undefined): Record<string, unknown> {
    const view = initial ? { ...initial.#plain, ...this.#plain } : { ...this.#plain };
    if (initial) {
      for (const [field, rich] of initial.#rich)
        if (!this.has(field)) put(view, field, give(rich, field));
    }
    for (const [field, rich] of this.#rich) put(view, field, give(rich, field));
    return view;
  }
}

/** Changes on their way into one commit. */
export class Draft {
  /** What the fields are with the changes; `undefined` where nobody asks for them. */
  readonly content: Content | undefined;
  clear = false;
  readonly set = new Map<string, unknown>();
  readonly deleted = new Set<string>();

  constructor(content: Content | undefined) {
    this.content = content;
  }

  get isEmpty(): boolean {
    return !this.clear && this.set.size === 0 && this.deleted.size === 0;
  }

  put(field: string, taken: unknown): void {
    this.deleted.delete(field);
    this.set.set(field, taken);
    this.content?.set(field, taken);
  }

  remove(field: string): void {
    this.set.delete(field);
    this.deleted.add(field);
    this.content?.delete(field);
  }

  wipe(): void {
    this.clear = true;
    this.set.clear();
    this.deleted.clear();
    this.content?.clear();
  }

  /** Makes the same changes to another content. */
  applyTo(content: Content): void {
    if (this.clear) content.clear();
    for (const field of this.deleted) content.delete(field);
    for (const [field, taken] of this.set) content.set(field, taken);
  }

  /** Says in a commit what changes. */
  fill(commit: Writable<Pick<Commit, 'clear' | 'delete' | 'set'>>): void {
    if (this.clear) commit.clear = true;
    if (this.deleted.size > 0) commit.delete = Array.from(this.deleted, toStored);
    if (this.set.size === 0) return;
    const set = new Map<string, string>();
    for (const [field, taken] of this.set) {
      set.set(toStored(field), toRaw(taken, field));
    }
    commit.set = set;
  }
}
