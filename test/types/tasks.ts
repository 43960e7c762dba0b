/** A module of tasks as users write one, with exports beside the tasks; the type tests import it whole. */
import { AsyncState, Context, Depends, task } from '../../src/index.js';

export interface Connection {
  execute(sql: string, values?: readonly unknown[]): Promise<number>;
  disconnect(): Promise<void>;
}

declare function connectToDb(): Promise<Connection>;

export const db = Depends(async function* () {
  const connection = await connectToDb();
  try {
    yield connection;
  } finally {
    await connection.disconnect();
  }
});

export class Registration extends AsyncState<{ step: number; phone: string; tags: string[] }> {
  static readonly id = 'registration';
}

export const step1 = task('step1', { state: Registration }, async ({ state }) => {
  await state.set('step', 1);
  return 'ok' as const;
});

export const step2 = task(
  'step2',
  { state: Registration, db, ctx: Context },
  async ({ state, db, ctx }, phone: string, attempts?: number) => {
    ctx.logger.info(`attempt ${attempts}`);
    await state.update({ step: 2, phone });
    return { rows: await db.execute('insert', [phone]) };
  },
);

export const sumAll = task('sum', (...numbers: number[]) => numbers.length);

/** @public Read through the module only; an app ignores it, as it does the next two. */
export const limit = 10;
/** @public */
export const nothing = null;
/** @public */
export const helper = (text: string): number => text.length;
/** @public */
export default task('last', () => true);
