/** Runs that wait for a slot, smallest priority first and the oldest among equals. */

/** Something that waits. */
export interface Waiting {
  readonly priority: number;
  /** Grows with each one that comes. */
  readonly order: number;
  /** Whether it has been dropped; then it is skipped when its turn comes. */
  gone: boolean;
}

const isBefore = (one: Waiting, other: Waiting): boolean =>
  one.priority - other.priority < 0 || (one.priority === other.priority && one.order < other.order);

/** A binary heap: adding and taking cost O(log n). */
export class PriorityQueue<Item extends Waiting> {
  #heap: Item[] = [];
  #gone = 0;

  get isEmpty(): boolean {
    return this.#heap.length === 0;
  }

  add(item: Item): void {
    const heap = this.#heap;
    let hole = heap.push(item) - 1;
    while (hole > 0) {
      const above = (hole - 1) >> 1;
      const parent = heap[above];
      if (!parent || isBefore(parent, item)) break;
      heap[hole] = parent;
      hole = above;
    }
    heap[hole] = item;
  }

  /** Takes the first that is not gone. */
  take(): Item | undefined {
    for (;;) {
      const first = this.#heap[0];
      const last = this.#heap.pop();
      if (!first || !last) return undefined;
      if (first !== last) this.#sink(last);
      if (!first.gone) return first;
      this.#gone--;
    }
  }

  /** Drops an item; many such are swept at once. */
  drop(item: Waiting): void {
    item.gone = true;
    if (++this.#gone * 2 < this.#heap.length) return;
    const left = this.#heap.filter(({ gone }) => !gone);
    this.#heap = [];
    this.#gone = 0;
    for (const one of left) this.add(one);
  }

  /** Lets an item sink from the top to its place. */
  #sink(item: Item): void {
    const heap = this.#heap;
    for (let hole = 0; ; ) {
      let below = 2 * hole + 1;
      const [left, right] = [heap[below], heap[below + 1]];
      if (left && right && isBefore(right, left)) below++;
      const child = heap[below];
      heap[hole] = child && isBefore(child, item) ? child : item;
      if (heap[hole] === item) return;
      hole = below;
    }
  }
}
