/**
 * A web storage as processes see it, each through a copy of its own that is brought up to date late:
 * here when the test says so.
 */

type Mutation = readonly [name: string, text: string | undefined];

/** One process's copy. */
export class Copy implements Storage {
  readonly #others: ReadonlySet<Copy>;
  readonly #items = new Map<string, string>();
  /** What others have done and this one does not show yet. */
  #behind: Mutation[] = [];
  /** How often somebody has looked an item up. */
  reads = 0;
  #catchUpAt = Number.POSITIVE_INFINITY;

  constructor(others: ReadonlySet<Copy>) {
    this.#others = others;
  }

  /** Shows all that the others have done so far. */
  catchUp(): void {
    for (const [name, text] of this.#behind.splice(0)) this.#apply(name, text);
  }

  /** Does so once somebody has looked so many more times in vain. */
  catchUpAfter(reads: number): void {
    this.#catchUpAt = this.reads + reads;
  }

  #apply(name: string, text: string | undefined): void {
    if (text === undefined) this.#items.delete(name);
    else this.#items.set(name, text);
  }

  #mutate(name: string, text: string | undefined): void {
    this.#apply(name, text);
    for (const other of this.#others) if (other !== this) other.#behind.push([name, text]);
  }

  getItem(name: string): string | null {
    if (++this.reads > this.#catchUpAt) this.catchUp();
    return this.#items.get(name) ?? null;
  }

  setItem(name: string, text: string): void {
    this.#mutate(name, text);
  }

  removeItem(name: string): void {
    this.#mutate(name, undefined);
  }

  clear(): void {
    for (const name of [...this.#items.keys()]) this.removeItem(name);
  }

  key(index: number): string | null {
    return [...this.#items.keys()][index] ?? null;
  }

  get length(): number {
    return this.#items.size;
  }
}

/** Copies of one storage, empty at first. */
export function copies(count: number): Copy[] {
  const all = new Set<Copy>();
  while (all.size < count) all.add(new Copy(all));
  return [...all];
}
