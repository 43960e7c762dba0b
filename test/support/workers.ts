/**
 * Real workers for tests that run in browsers and in Node: of a browser the test server bundles the scripts
 * in `workers/`, for Node `threads.ts` does.
 */
import { onTestFinished } from 'vitest';
import {
  type ConnectOptions,
  connect,
  type MessageEndpoint,
  type WorkerClient,
} from '../../adapters/worker/index.js';
import { errors } from './workers/errors.js';
import type * as failures from './workers/failures.js';
import type * as moves from './workers/moves.js';
import type * as tasks from './workers/tasks.js';

/** What tests have of a worker. */
export interface TestWorker extends MessageEndpoint {
  terminate(): unknown;
}

/** The tasks that the workers have. */
export type Tasks = typeof tasks & typeof failures & typeof moves;

// The test server looks for these expressions as they stand.
const makers = {
  app: () => new Worker(new URL('./workers/app.ts', import.meta.url), { type: 'module' }),
  broken: () => new Worker(new URL('./workers/broken.ts', import.meta.url), { type: 'module' }),
  closing: () => new Worker(new URL('./workers/closing.ts', import.meta.url), { type: 'module' }),
  late: () => new Worker(new URL('./workers/late.ts', import.meta.url), { type: 'module' }),
  narrow: () => new Worker(new URL('./workers/narrow.ts', import.meta.url), { type: 'module' }),
  puppet: () => new Worker(new URL('./workers/puppet.ts', import.meta.url), { type: 'module' }),
  silent: () => new Worker(new URL('./workers/silent.ts', import.meta.url), { type: 'module' }),
  twoApps: () => new Worker(new URL('./workers/twoApps.ts', import.meta.url), { type: 'module' }),
};

/** The name of a script. */
export type ScriptName = keyof typeof makers;

export const isNode = typeof Worker === 'undefined';

// Not for browsers, whose server must not even look at it.
const threadsModule = './threads.js';
const threads: typeof import('./threads.js') | undefined = isNode
  ? await import(/* @vite-ignore */ threadsModule)
  : undefined;
await threads?.bundleScripts(Object.keys(makers));

/** Starts a worker; the test has to end it, or a client does. */
export function startWorker(name: ScriptName): TestWorker {
  return threads ? threads.startThread(name) : makers[name]();
}

/** Starts a worker that ends with the test. */
export function borrowWorker(name: ScriptName): TestWorker {
  const worker = startWorker(name);
  onTestFinished(() => void worker.terminate());
  return worker;
}

/** A client of an app in workers of its own, which is closed with the test. */
export function open(name: ScriptName = 'app', options: ConnectOptions = {}): WorkerClient<Tasks> {
  return connectTo(() => startWorker(name), options);
}

/** A client that is closed with the test. */
export function connectTo(
  source: Parameters<typeof connect>[0],
  options: ConnectOptions = {},
): WorkerClient<Tasks> {
  const client = connect<Tasks>(source, { errors, ...options });
  // What it fails with is looked at by the tests that close it.
  onTestFinished(() => client.close({ drain: 0 }).catch(() => {}));
  return client;
}

/** Waits until so many workers of a client that was just made can be called. */
export function started(app: WorkerClient<Tasks>, count: number): Promise<void> {
  let starts = 0;
  return new Promise((resolve) => {
    const stop = app.on('worker:start', () => {
      if (++starts < count) return;
      stop();
      resolve();
    });
  });
}
