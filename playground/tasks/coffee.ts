import { AsyncState, Context, Depends, task } from 'qtasks-lite';

export class Coffee extends AsyncState<{ step: string; cups: number }> {
  static readonly id = 'coffee';
}

const machine = Depends({ ctx: Context }, async function* ({ ctx }) {
  await ctx.sleep(300); // opens: it warms up
  yield { percent: [25, 50, 75, 100] };
  await ctx.sleep(200); // closes, once the step is over
});

const needs = { coffee: Coffee, machine, ctx: Context };

export const grind = task('grind', needs, async ({ coffee, ctx }) => {
  await ctx.sleep(400);
  await coffee.set('step', 'ground');
});

export const brew = task('brew', needs, async function* ({ coffee, machine, ctx }) {
  for (const percent of machine.percent) {
    await ctx.sleep(200);
    await coffee.set('step', `${percent} % through`);
    yield percent;
  }
  await coffee.update(({ cups = 0 }) => ({ step: 'served', cups: cups + 1 }));
});

export const refill = task(
  'refill',
  { coffee: Coffee },
  ({ coffee }) => coffee.update(({ cups = 0 }) => ({ cups: cups + 1 })), // atomic, in whatever tab
);
