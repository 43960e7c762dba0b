/** `npm run bench -- depends`: what n async generator resources add to a run. */
import { type Dependency, Depends, QTasks } from 'qtasks-lite';
import { type Contestant, measure } from '../harness/measure.js';
import { containers } from './containers.js';
import {
  type Contender,
  CountingKit,
  chain,
  independent,
  type Open,
  type Shape,
  shortcomings,
  type Value,
} from './resources.js';

interface Listed {
  readonly open: Open;
  readonly needs: readonly number[];
}

const listed = (kit: Parameters<Contender>[0], shape: Shape): Listed[] =>
  shape.map((needs, index) => ({ open: kit.opener(index), needs }));

/** The baseline: opened in order and closed in reverse, for the good case only. */
const byHand: Contender = (kit, shape) => {
  const resources = listed(kit, shape);
  return async () => {
    const opened: AsyncGenerator<Value>[] = [];
    const values: Value[] = [];
    for (const { open, needs } of resources) {
      const generator = open(needs.map((need) => values[need] as Value));
      values.push((await generator.next()).value as Value);
      opened.push(generator);
    }
    const result = await kit.handler(values.at(-1));
    for (let index = opened.length - 1; index >= 0; index--) await opened[index]?.next();
    return result;
  };
};

/** As one would write it who knows what can go wrong. */
const byHandInParallel: Contender = (kit, shape) => {
  const resources = listed(kit, shape);
  return async () => {
    const opened: AsyncGenerator<Value>[] = [];
    const opening: Promise<Value>[] = [];
    const start = async ({ open, needs }: Listed): Promise<Value> => {
      const waits = needs.map((need) => opening[need] as Promise<Value>);
      const generator = open(waits.length > 0 ? await Promise.all(waits) : []);
      const step = await generator.next();
      if (step.done) throw new Error('never yielded');
      opened.push(generator);
      return step.value;
    };
    for (const resource of resources) opening.push(start(resource));
    const failures: unknown[] = [];
    let last: Value | undefined;
    for (const settled of await Promise.allSettled(opening)) {
      if (settled.status === 'fulfilled') last = settled.value;
      else failures.push(settled.reason);
    }
    let result: number | undefined;
    try {
      if (failures.length === 0) result = await kit.handler(last);
    } catch (error) {
      failures.push(error);
    }
    for (const generator of opened.reverse()) {
      try {
        const failed = failures.length > 0;
        const { done } = failed ? await generator.throw(failures[0]) : await generator.next();
        if (!done) await generator.return(undefined);
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return result;
  };
};

const ours: Contender = (kit, shape) => {
  const app = new QTasks({ name: 'bench' });
  const all: Dependency<Value>[] = [];
  const record = (indexes: readonly number[]) =>
    Object.fromEntries(indexes.map((index) => [`r${index}`, all[index] as Dependency<Value>]));
  for (const [index, needs] of shape.entries()) {
    const open = kit.opener(index);
    const names = needs.map((need) => `r${need}`).join();
    // As one writes it by hand, with names that are known.
    const opener = new Function('open', `return ({ ${names} }) => open([${names}])`)(open);
    all.push(needs.length > 0 ? Depends(record(needs), opener) : Depends(() => open([])));
  }
  const flat = shape.every((needs) => needs.length === 0);
  const wanted = flat ? record([...shape.keys()]) : record([shape.length - 1]);
  const last = `r${shape.length - 1}`;
  const task = app.task('run', wanted, (values) => kit.handler(values[last]));
  return () => app.run(task);
};

const contenders: Readonly<Record<string, Contender>> = {
  'by hand': byHand,
  'by hand in parallel': byHandInParallel,
  'qtasks-lite': ours,
  ...containers,
};

const sizes = [0, 1, 5, 10];

async function contestant(
  name: string,
  contender: Contender,
  shapeOf: (n: number) => Shape,
): Promise<Contestant> {
  const cases = sizes.map((n) => {
    const kit = new CountingKit();
    const shape = shapeOf(n);
    const call = contender(kit, shape);
    return { call, check: (calls: number, last: unknown) => kit.check(calls, shape, last) };
  });
  return { name, without: await shortcomings(contender), cases };
}

for (const [what, shapeOf] of [
  ['independent resources', independent],
  ['a chain of diamonds, r(i) needs r(i-1) and r0', chain],
] as const) {
  const contestants = await Promise.all(
    Object.entries(contenders).map(([name, contender]) => contestant(name, contender, shapeOf)),
  );
  const goal = (column: string, than: string, atMost: number) => {
    return { column, of: 'qtasks-lite', than, atMost };
  };
  await measure({
    title: `Added cost of n resources: ${what}`,
    columns: sizes.map(String),
    contestants,
    calls: 2_000,
    added: true,
    goals: [
      goal('1', 'by hand', 1.4),
      goal('5', 'by hand', 1.15),
      goal('10', 'by hand', 1.15),
      ...['1', '5', '10'].map((column) => goal(column, 'by hand in parallel', 1)),
    ],
  });
}
