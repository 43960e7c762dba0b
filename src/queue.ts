/** Runs that wait for a slot, smallest priority first and the oldest among equals. */

/** Something that waits. */
export interface Waiting {
  readonly priority: number;
  /** Grows with each one that comes. */
  readonly order: number;
  /** Whether it has been dropped; then it is skipped when its turn comes. */
  gone: boolean;
}

/** A binary heap: adding and taking cost O(log n). */
export class PriorityQueue<Item extends Waiting> {
  readonly #heap: Item[] = [];
  #gone = 0;

  add(item: Item): void {
    this.#heap.push(item);
    this.#rise(this.#heap.length - 1);
  }

  /** Takes the first that is not gone. */
  take(): Item | undefined {
    for (;;) {
      const first = this.#heap[0];
      const last = this.#heap.pop();
      if (first === undefined || last === undefined) return undefined;
      if (first !== last) {
        this.#heap[0] = last;
        this.#sink(0);
      }
      if (!first.gone) return first;
      this.#gone--;
    }
  }

  /** Drops an item; many such are swept at once. */
  drop(item: Waiting): void {
    item.gone = true;
    this.#gone++;
    if (this.#gone * 2 <= this.#heap.length) return;
    const left = this.#heap.filter((item) => !item.gone).sort(compare);
    this.#heap.splice(0, this.#heap.length, ...left);
    this.#gone = 0;
  }

  #rise(start: number): void {
    for (let child = start; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#swapIfLess(child, parent)) return;
      child = parent;
    }
  }

  #sink(start: number): void {
    for (let parent = start; ; ) {
      const left = 2 * parent + 1;
      const smaller = this.#isLess(left + 1, left) ? left + 1 : left;
      if (!this.#swapIfLess(smaller, parent)) return;
      parent = smaller;
    }
  }

  #isLess(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    return one !== undefined && other !== undefined && compare(one, other) < 0;
  }

  #swapIfLess(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || other === undefined || compare(one, other) >= 0) return false;
    this.#heap[a] = other;
    this.#heap[b] = one;
    return true;
  }
}

const compare = (one: Waiting, other: Waiting): number =>
  one.priority - other.priority || one.order - other.order;
