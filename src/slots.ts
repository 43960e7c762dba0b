/** The slots of one app: how many attempts go on at once, and who is next. */
import type { ActiveRun } from './active-run.js';
import type { Job } from './attempt.js';
import { PriorityQueue, type Waiting } from './queue.js';
import type { Slot } from './slot.js';

/** A run that waits for a slot. */
interface WaitingRun extends Waiting {
  readonly run: ActiveRun;
  readonly job: Job;
}

/** Gives slots to runs. */
export class Slots {
  readonly #count: number;
  readonly #begin: (run: ActiveRun, job: Job) => void;
  readonly #queue = new PriorityQueue<WaitingRun>();
  #busy = 0;
  #isFilling = false;
  #order = 0;

  /** @param begin called as soon as a run has its slot */
  constructor(count: number, begin: (run: ActiveRun, job: Job) => void) {
    this.#count = count;
    this.#begin = begin;
  }

  /** Begins at once, or as soon as there is room. A child is in its parent's slot, unless that is lent. */
  enter(run: ActiveRun, job: Job): void {
    const { slot } = job;
    const isIn = slot !== undefined && !slot.root.isLent;
    // Where somebody waits while a slot is free, it is about to be given to the smallest.
    if (isIn || (this.#busy < this.#count && this.#queue.isEmpty)) return this.#admit(run, job);
    const priority = slot ? Number.NEGATIVE_INFINITY : job.priority;
    const waiting = { run, job, priority, order: ++this.#order, gone: false };
    run.waiting = waiting;
    this.#queue.add(waiting);
  }

  #admit(run: ActiveRun, job: Job): void {
    if (job.slot) this.#enterSlot(run, job.slot);
    else this.#busy++;
    this.#begin(run, job);
  }

  #enterSlot(run: ActiveRun, slot: Slot): void {
    slot.active++;
    run.stopWaiting?.();
    this.#balance(slot);
  }

  /** A child waits for a hold, until it enters or settles. */
  waitInside(run: ActiveRun, slot: Slot): void {
    slot.waiting++;
    run.stopWaiting = () => {
      run.stopWaiting = undefined;
      slot.waiting--;
      this.#balance(slot);
    };
    this.#balance(slot);
    this.#fill();
  }

  /** Lends a slot in which everything waits, or takes it back. */
  #balance(slot: Slot): void {
    const isLent = slot.waiting > 0 && slot.active === 0;
    if (isLent === slot.isLent) return;
    slot.isLent = isLent;
    const change = isLent ? -1 : 1;
    if (!slot.parent) {
      this.#busy += change;
      return;
    }
    slot.parent.active += change;
    slot.parent.waiting -= change;
    this.#balance(slot.parent);
  }

  /** An attempt is over; its own children are, too. */
  leave({ slot }: Job): void {
    if (slot) {
      slot.active--;
      this.#balance(slot);
    } else this.#busy--;
    this.#fill();
  }

  /** First the slot, then whoever is the smallest by then. */
  #fill(): void {
    // A run that ends at once comes back here; the loop below goes on for it.
    if (this.#isFilling) return;
    this.#isFilling = true;
    while (this.#busy < this.#count) {
      const next = this.#queue.take();
      if (!next) break;
      next.run.waiting = undefined;
      this.#admit(next.run, next.job);
    }
    this.#isFilling = false;
  }

  /** Whoever waits does so no more. */
  drop(waiting: Waiting): void {
    this.#queue.drop(waiting);
  }
}
