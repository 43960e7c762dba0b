/**
 * What may stand between who calls an app and its runs: values that pass a test kit's boundary are
 * those that a worker would have received and sent. An app of its own has none.
 */

/** The option of an app that holds it: no user's option has a symbol for a name. */
export const BOUNDARY: unique symbol = Symbol.for('qtasks-lite.boundary') as typeof BOUNDARY;

/** Carries what a run gives to its caller. */
export interface ReturnBoundary {
  /** @throws what the run fails with */
  value(task: string, from: 'result' | 'yield', value: unknown): unknown;
  error(error: unknown): unknown;
}

/** Carries values across, in both directions. */
export interface Boundary extends ReturnBoundary {
  /** @throws what the call is refused with */
  args(
    task: string,
    args: readonly unknown[],
    transfer: readonly object[] | undefined,
  ): readonly unknown[];
}
