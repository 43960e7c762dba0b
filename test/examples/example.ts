// As an ordinary user writes it in TypeScript; dist.node.test.ts runs it against the packed library.
import { AsyncState, Depends, QTasks } from 'qtasks-lite';
import { memory } from 'qtasks-lite/memory';

const connectToDb = async () => ({
  execute: async (_sql: string, _values?: unknown[]) => {},
  disconnect: async () => {},
});

const db = Depends(async function* () {
  const connection = await connectToDb();
  try {
    yield connection;
  } finally {
    console.log('close...');
    await connection.disconnect();
  }
});

class MyState extends AsyncState<{ state: string; step: number; prompt: string }> {
  static readonly id = 'my_state';
}

const app = new QTasks({ name: 'signup', storage: memory(), logger: console });

const testDepends = app.task('test_depends', { db }, async ({ db }) => {
  await db.execute('insert into visits default values');
  console.log('Call completed');
});

const step1 = app.task('step1', { state: MyState }, async ({ state }) => {
  await state.set('state', 'await_phone');
  await state.update({ step: 1, prompt: 'Enter phone number' });
  return 'ok' as const;
});

const step2 = app.task('step2', { state: MyState }, async ({ state }) => {
  console.log(JSON.stringify(await state.getAll()));
  const current: string | undefined = await state.get('state');
  if (current !== 'await_phone') return 'error';
  await state.update({ step: 2 });
  await state.delete('state');
  await state.clear();
  return 'ok';
});

await testDepends();
const first: 'ok' = await step1();
const second: 'ok' | 'error' = await step2();
console.log(first, second);
await app.close();
