/** The slot of one attempt, as its children see it. */

/**
 * What the children of an attempt run in. While all of them that go on wait for a hold, the slot is
 * lent to others: the run that has the hold may itself be waiting for a slot.
 */
export class Slot {
  /** The one that the attempt itself is in, if it is a child too. */
  readonly parent: Slot | undefined;
  /** How many children wait for a hold. */
  waiting = 0;
  /** How many children go on. */
  active = 0;
  isLent = false;

  constructor(parent: Slot | undefined) {
    this.parent = parent;
  }

  /** The one that is a place among the app's. */
  get root(): Slot {
    return this.parent?.root ?? this;
  }
}
