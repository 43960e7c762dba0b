import { expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { AsyncState, QTasks } from '../../src/index.js';

class Old extends AsyncState<{ a: number }> {
  static readonly id = 'profile';
  static readonly version = 1;
}

class New extends AsyncState<{ b: number }> {
  static readonly id = 'profile';
  static readonly version = 2;
  static migrate(): { b: number } {
    return { b: 0 };
  }
}

it.for([
  ['set', (state: Old) => state.set('a', 1)],
  ['update', (state: Old) => state.update({ a: 1 })],
  ['delete', (state: Old) => state.delete('a')],
  ['clear', (state: Old) => state.clear()],
  ['get', (state: Old) => state.get('a')],
] as const)('%s of a class that names version 1 leaves newer data alone', async ([, call]) => {
  const storage = memory();
  const state = new QTasks({ storage }).state(New);
  await state.set('b', 7);
  await expect(call(new QTasks({ storage }).state(Old))).rejects.toMatchObject({
    code: 'STATE_INVALID',
  });
  expect(await state.getAll()).toEqual({ b: 7 });
});
