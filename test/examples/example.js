// As an ordinary user writes it in JavaScript; dist.node.test.ts runs it against the packed library.
import { AsyncState, Depends, QTasks } from 'qtasks-lite';
import { memory } from 'qtasks-lite/memory';

const connectToDb = async () => ({
  execute: async () => {},
  disconnect: async () => {},
});

const db = Depends(async function* () {
  const connection = await connectToDb();
  yield connection;
  console.log('close...');
  await connection.disconnect();
});

class MyState extends AsyncState {
  static id = 'my_state';
}

const app = new QTasks({ name: 'signup', storage: memory(), logger: console });

const testDepends = app.task('test_depends', { db }, async ({ db }) => {
  await db.execute();
  console.log('Call completed');
});

const step1 = app.task('step1', { state: MyState }, async ({ state }) => {
  await state.set('state', 'await_phone');
  await state.update({ step: 1, prompt: 'Enter phone number' });
  return 'ok';
});

const step2 = app.task('step2', { state: MyState }, async ({ state }) => {
  console.log(JSON.stringify(await state.getAll()));
  if ((await state.get('state')) !== 'await_phone') return 'error';
  await state.update({ step: 2 });
  await state.delete('state');
  await state.clear();
  return 'ok';
});

await testDepends();
console.log(await step1(), await step2());
await app.close();
