import { AsyncState, Context, Depends, task } from 'qtasks-lite';

export class Import extends AsyncState<{ done: number; rows: number }> {
  static readonly id = 'import';
  static readonly initial = { done: 0, rows: 0 };
}

const source = Depends({ ctx: Context }, async function* ({ ctx }) {
  await ctx.sleep(60);
  yield async (page: number) => new Array<number>(40 + page).fill(page);
});

const warehouse = Depends({ ctx: Context }, async function* ({ ctx }) {
  await ctx.sleep(40);
  yield { insert: (rows: number[]) => ctx.sleep(2 * rows.length) };
  await ctx.sleep(40);
});

export const extract = task(
  'extract',
  { source, ctx: Context },
  async ({ source, ctx }, page: number) => {
    await ctx.sleep(220);
    if (page % 3 === 0 && ctx.attempt === 1) throw new Error('503');
    return source(page);
  },
  { retry: { limit: 3, delay: 150, jitter: false }, timeout: 5_000 },
);

export const load = task('load', { warehouse }, async ({ warehouse }, rows: number[]) => {
  await warehouse.insert(rows);
  return rows.length;
});

/** Goes on where it was left: cancelled, killed with its worker, or in another tab. */
export const importPages = task(
  'import_pages',
  { state: Import, ctx: Context },
  async function* ({ state, ctx }, pages: number) {
    for (let page = (await state.get('done', 0)) + 1; page <= pages; page++) {
      const rows = await ctx.run(extract, page);
      const count = await ctx.run(load, rows);
      await state.update((now) => ({ done: page, rows: (now.rows ?? 0) + count }));
      yield page;
    }
    return `${await state.get('rows', 0)} rows`;
  },
  { exclusive: true },
);
