/** A promise that a test settles when it wants to. */
export interface Gate<Value> {
  readonly promise: Promise<Value>;
  resolve(value: Value): void;
  reject(error: unknown): void;
}

export function gate<Value = void>(): Gate<Value> {
  let resolve: Gate<Value>['resolve'] = () => {};
  let reject: Gate<Value>['reject'] = () => {};
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** Never settles. */
export const never = new Promise<never>(() => {});

/** What a promise rejects with. */
export async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('it did not reject');
}

/**
 * Lets some turns of the event loop pass, so that what waits for the end of this one has happened.
 * Browsers hold nested timers back for 4 ms, from the fifth on.
 */
export async function turn(): Promise<void> {
  for (let count = 0; count < 8; count++) await new Promise<void>((done) => setTimeout(done, 0));
}
