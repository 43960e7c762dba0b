/** What calls leave behind on both sides: line 32 of the failure semantics. */
import { expect, it, vi } from 'vitest';
import { connect, serve } from '../../../adapters/worker/index.js';
import { QTasks, task } from '../../../src/index.js';
import { heapUsed, runMany } from '../../support/heap.js';

// Both sides in one thread, so that one heap shows what either of them keeps.
const work = task('work', () => 'value');
const keyed = task('keyed', (_bytes: Uint8Array) => 'value', { retry: 1 });
const stream = task('stream', function* () {
  yield 1;
  yield 2;
});

/** A client and what it is served by. */
function pair() {
  const { port1, port2 } = new MessageChannel();
  const serving = serve(new QTasks({ tasks: { work, keyed, stream }, remember: { limit: 100 } }), {
    port: port1,
  });
  const client = connect<{ work: typeof work; keyed: typeof keyed; stream: typeof stream }>(port2);
  return {
    client,
    async end() {
      await client.close();
      await serving.close();
      port1.close();
    },
  };
}

it('32 leaves the heap within 5 MB after 1,000,000 calls', async () => {
  const { client, end } = pair();
  await runMany(() => client.run('work'), 10_000);
  const before = await heapUsed();
  await runMany(() => client.run('work'), 1_000_000);
  expect((await heapUsed()) - before).toBeLessThan(5);
  await end();
}, 120_000);

it('32 leaves the heap within 5 MB after 50,000 calls of every kind on one signal', async () => {
  const { client, end } = pair();
  const { signal } = new AbortController();
  let ids = 0;
  const call = async (): Promise<unknown> => {
    const number = ++ids;
    const some = client.session(`session ${number % 7}`).with({ signal });
    const run = some.run(number % 2 === 0 ? 'stream' : 'work');
    if (number % 3 === 0) run.cancel();
    if (number % 3 === 1) for await (const _value of run) break;
    return run.settled;
  };
  await runMany(call, 5_000);
  const before = await heapUsed();
  await runMany(call, 50_000);
  expect((await heapUsed()) - before).toBeLessThan(5);
  await end();
}, 120_000);

it('32 keeps no arguments of runs that are remembered by their ids', async () => {
  const { client, end } = pair();
  await heapUsed();
  const before = process.memoryUsage().arrayBuffers;
  for (let id = 0; id < 200; id++) {
    await client.with({ id: `id ${id}` }).run('keyed', new Uint8Array(2 ** 20));
  }
  await heapUsed();
  // Of the served ones the app remembers 100, without their arguments too.
  expect((process.memoryUsage().arrayBuffers - before) / 2 ** 20).toBeLessThan(20);
  await end();
});

it('32 keeps nothing of pages that a shared worker has served', async () => {
  let connected: (event: unknown) => void = () => {};
  vi.stubGlobal('SharedWorkerGlobalScope', class {});
  vi.stubGlobal('addEventListener', (_type: string, listener: typeof connected) => {
    connected = listener;
  });
  vi.stubGlobal('removeEventListener', () => {});
  const serving = serve(new QTasks({ tasks: { work } }));
  const visit = async (): Promise<void> => {
    const { port1, port2 } = new MessageChannel();
    connected({ ports: [port1] });
    const client = connect<{ work: typeof work }>(port2);
    await client.run('work');
    await client.close();
    port2.close();
  };
  await runMany(visit, 200);
  const before = await heapUsed();
  await runMany(visit, 2_000);
  expect((await heapUsed()) - before).toBeLessThan(1.5);
  await serving.close();
  vi.unstubAllGlobals();
});
