/** The tasks of both examples: Node and the page run this very module. */
import { AsyncState, Context, Depends, task } from 'qtasks-lite';

async function connectToDb() {
  return {
    async execute(_sql: string) {},
    async disconnect() {},
  };
}

// Example 1: a resource that is opened for a task and closes by itself.

const db = Depends({ ctx: Context }, async function* ({ ctx }) {
  const connection = await connectToDb();
  try {
    yield connection;
  } finally {
    ctx.logger.info('close...');
    await connection.disconnect();
  }
});

export const testDepends = task('test_depends', { db, ctx: Context }, async ({ db, ctx }) => {
  await db.execute('insert into visits default values');
  ctx.logger.info('Call completed');
});

// Example 2: a state that one step writes and the next one reads.

class MyState extends AsyncState<{ state: string; step: number; prompt: string }> {
  static readonly id = 'my_state';
}

export const step1 = task('step1', { state: MyState }, async ({ state }) => {
  await state.set('state', 'await_phone');
  await state.update({ step: 1, prompt: 'Enter phone number' });
  return 'ok';
});

export const step2 = task('step2', { state: MyState, ctx: Context }, async ({ state, ctx }) => {
  ctx.logger.info(JSON.stringify(await state.getAll()));

  if ((await state.get('state')) !== 'await_phone') return 'error';
  await state.update({ step: 2 });
  await state.delete('state');
  await state.clear();
  return 'ok';
});
