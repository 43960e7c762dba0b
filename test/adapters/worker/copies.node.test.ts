/** Two copies of the library: one makes the app and the tasks, or serves, or connects. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, expect, it } from 'vitest';
import { rejection } from '../../support/promises.js';

type Library = typeof import('../../../src/index.js') &
  typeof import('../../../adapters/worker/index.js') &
  typeof import('../../../adapters/memory.js');

let one: Library;
let other: Library;

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** A copy that shares nothing with another one. */
async function copy(name: string): Promise<Library> {
  const { outputFiles } = await build({
    stdin: {
      contents: `export * from './src/index.js'; export * from './adapters/worker/index.js'; export * from './adapters/memory.js'; // ${name}`,
      resolveDir: root,
    },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    footer: { js: `// ${name}` },
  });
  const text = Buffer.from(outputFiles[0]?.contents ?? []).toString('base64');
  return import(/* @vite-ignore */ `data:text/javascript;base64,${text}`);
}

beforeAll(async () => {
  [one, other] = await Promise.all([copy('one'), copy('other')]);
});

/** An app of one copy with tasks of the other, served and connected to by these copies. */
function make({
  tasks: made,
  app,
  serve,
  connect,
}: Record<'tasks' | 'app' | 'serve' | 'connect', Library>) {
  class Counter extends made.AsyncState<{ count: number }> {
    static readonly id = 'counter';
  }
  const log: string[] = [];
  const dep = made.Depends(function* () {
    log.push('open');
    yield 2;
    log.push('close');
  });
  const count = made.task(
    'count',
    { dep, state: Counter, ctx: made.Context },
    async function* ({ dep, state, ctx }, by: number) {
      yield ctx.session;
      const { count = 0 } = await state.update(({ count = 0 }) => ({ count: count + dep * by }));
      return count;
    },
  );
  const fail = made.task('fail', (): void => {
    throw new made.QTasksError('STATE_INVALID', 'no');
  });
  const tasks = { count, fail };
  const { port1, port2 } = new MessageChannel();
  const serving = serve.serve(new app.QTasks({ tasks, storage: made.memory() }), { port: port1 });
  const client = connect.connect<typeof tasks>(port2);
  const end = async (): Promise<void> => {
    await client.close();
    await serving.close();
    port1.close();
  };
  return { client, tasks, Counter, log, end };
}

it('are different', () => {
  expect(one.QTasks).not.toBe(other.QTasks);
});

it.each([
  ['the tasks', 'tasks'],
  ['the app', 'app'],
  ['serve', 'serve'],
  ['connect', 'connect'],
] as const)('work together where %s are of the other one', async (_what, part) => {
  const copies = { tasks: one, app: one, serve: one, connect: one, [part]: other };
  const { client, tasks, Counter, log, end } = make(copies);
  const ann = client.session('ann');
  const run = ann.run(tasks.count, 3);
  for await (const session of run) expect(session).toBe('ann');
  expect(await run).toBe(6);
  expect(await ann.state(Counter).get('count')).toBe(6);
  expect(log).toEqual(['open', 'close']);
  const error = await rejection(client.run('fail'));
  for (const { isQTasksError } of [one, other]) {
    expect(isQTasksError(error, 'STATE_INVALID')).toBe(true);
  }
  expect(error).toBeInstanceOf(copies.connect.QTasksError);
  await end();
});
