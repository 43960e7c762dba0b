/** How much the heap holds, for tests in Node: nothing else can be told to collect garbage. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** What is in use after all garbage is collected, in MB. */
export async function heapUsed(): Promise<number> {
  // Finalizers and promises that hang on objects need a turn between.
  for (let count = 0; count < 4; count++) {
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    collect();
  }
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** Runs something many times, a hundred at once. */
export async function runMany(run: () => PromiseLike<unknown>, count: number): Promise<void> {
  for (let done = 0; done < count; done += 100) {
    await Promise.all(Array.from({ length: 100 }, run));
  }
}
