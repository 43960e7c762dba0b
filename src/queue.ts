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
  one.priority < other.priority || (one.priority === other.priority && one.order < other.order);

/**
 * A heap, where four lie below each, which is faster than two: adding and taking cost O(log n). As long as
 * each comes behind all the others, as those of one priority do, it is sorted: then it is taken from its
 * front at no cost.
 */
export class PriorityQueue<Item extends Waiting> {
  #items: (Item | undefined)[] = [];
  #isSorted = true;
  /** How many were taken from the front of what is sorted. */
  #taken = 0;
  #gone = 0;

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  add(item: Item): void {
    const last = this.#items.at(-1);
    if (!last) this.#isSorted = true;
    else if (this.#isSorted && isBefore(item, last)) {
      // What is sorted is a heap already.
      this.#cutFront();
      this.#isSorted = false;
    }
    const place = this.#items.push(item) - 1;
    if (!this.#isSorted) this.#rise(item, place);
  }

  /** Takes the first that is not gone. */
  take(): Item | undefined {
    for (;;) {
      const first = this.#isSorted ? this.#takeFront() : this.#takeTop();
      if (!first?.gone) return first;
      this.#gone--;
    }
  }

  /** Drops an item; many such are swept at once. */
  drop(item: Waiting): void {
    item.gone = true;
    if (++this.#gone * 2 < this.#items.length) return;
    const left = this.#items.filter((one) => one && !one.gone);
    this.#items = [];
    this.#taken = 0;
    this.#gone = 0;
    for (const one of left) if (one) this.add(one);
  }

  #takeFront(): Item | undefined {
    const first = this.#items[this.#taken];
    this.#items[this.#taken++] = undefined;
    if (this.#taken * 2 >= this.#items.length) this.#cutFront();
    return first;
  }

  #cutFront(): void {
    this.#items = this.#items.slice(this.#taken);
    this.#taken = 0;
  }

  #takeTop(): Item | undefined {
    const items = this.#items;
    const first = items[0];
    const last = items.pop();
    if (!last || items.length === 0) return first;
    // The hole sinks to the bottom, where the last most likely belongs, and rises from there with it.
    let hole = 0;
    for (let least = 1; least < items.length; least = 4 * hole + 1) {
      const end = Math.min(least + 4, items.length);
      for (let other = least + 1; other < end; other++) {
        const one = items[other];
        const than = items[least];
        if (one && than && isBefore(one, than)) least = other;
      }
      items[hole] = items[least];
      hole = least;
    }
    this.#rise(last, hole);
    return first;
  }

  /** Lets an item rise from a hole to its place. */
  #rise(item: Item, from: number): void {
    let hole = from;
    while (hole > 0) {
      const above = (hole - 1) >> 2;
      const parent = this.#items[above];
      if (!parent || isBefore(parent, item)) break;
      this.#items[hole] = parent;
      hole = above;
    }
    this.#items[hole] = item;
  }
}
