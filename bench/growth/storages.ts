/** How the cost of a state's operations grows with what is stored, on any storage. */
import { AsyncState, QTasks, type StorageAdapter } from 'qtasks-lite';
import type { Case } from '../harness/measure.js';
import { grow, tens } from './series.js';

type Value = string | number;

class Bench extends AsyncState<Record<string, Value>> {
  static readonly id = 'bench';
}

type State = ReturnType<typeof stateOf>;

/** Where it is stored. */
export interface Place {
  readonly name: string;
  /** Whether what happens does so elsewhere, so that the clock counts. */
  readonly waits: boolean;
  readonly calls: number;
  /** Makes a storage, or gives the same again: each is used by an app of its own. */
  create(): StorageAdapter;
  /** Why an operation grows with the fields all the same. */
  readonly fields?: Readonly<Record<string, string>>;
  /** And with the sessions. */
  readonly sessions?: Readonly<Record<string, string>>;
}

let apps = 0;
const appOn = ({ create }: Place): QTasks =>
  new QTasks({ name: `growth${++apps}`, storage: create() });
const stateOf = (app: QTasks, session = 'ann') => app.session(session).state(Bench);

const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `f${index}`);

/** Sets a field to a new number at each call. */
function setting(place: Place, state: State): Case {
  let value = 0;
  return {
    waits: place.waits,
    call: () => state.set('n', ++value),
    check: async () => ((await state.get('n')) === value ? undefined : 'the number was not set'),
  };
}

/** Gets something that is there. */
const getting = (place: Place, call: () => Promise<unknown>, expected: unknown): Case => ({
  waits: place.waits,
  call,
  check: (_, last) => (last === expected ? undefined : `found ${String(last)}`),
});

/** Against the number of fields of the same session. */
export async function fields(place: Place): Promise<void> {
  await grow({
    file: `${place.name.toLowerCase()}-fields`,
    title: `Fields of one session in ${place.name}`,
    of: 'fields',
    sizes: tens(10, 10_000),
    columns: ['set', 'get', 'all, per field'],
    calls: place.calls,
    ...(place.fields ? { because: place.fields } : {}),
    async at(size) {
      const state = stateOf(appOn(place));
      await state.update(Object.fromEntries(names(size).map((name) => [name, 'v'.repeat(20)])));
      return [
        setting(place, state),
        getting(place, () => state.get('f3'), 'v'.repeat(20)),
        {
          ...{ waits: place.waits, things: size, call: () => state.getAll() },
          check: (_, last) =>
            Object.keys(last as object).length >= size ? undefined : 'fields are missing',
        },
      ];
    },
  });
}

/** Against the number of other sessions. */
export async function sessions(place: Place): Promise<void> {
  await grow({
    file: `${place.name.toLowerCase()}-sessions`,
    title: `Sessions in ${place.name}`,
    of: 'sessions',
    sizes: tens(10, 100_000),
    columns: ['set', 'get', 'set, each time in another one'],
    calls: place.calls,
    ...(place.sessions ? { because: place.sessions } : {}),
    async at(size) {
      const app = appOn(place);
      const all = names(size);
      for (let from = 0; from < size; from += 1_000) {
        const some = all.slice(from, from + 1_000);
        await Promise.all(some.map((name) => stateOf(app, name).update({ a: 1, b: 2, c: 3 })));
      }
      const state = stateOf(app, 'f3');
      return [
        setting(place, state),
        getting(place, () => state.get('b'), 2),
        inTurn(place, app, all),
      ];
    },
  });
}

/** Sets a field in one session after the other. */
function inTurn(place: Place, app: QTasks, all: readonly string[]): Case {
  let turn = 0;
  // Far enough apart to be neighbours nowhere.
  const next = (): string => all[(++turn * 7_919) % all.length] ?? '';
  return {
    waits: place.waits,
    call: () => stateOf(app, next()).set('n', turn),
    check: async () => {
      const last = all[(turn * 7_919) % all.length];
      return (await stateOf(app, last).get('n')) === turn ? undefined : 'the number was not set';
    },
  };
}

/** Against the size of another field of the same session, and per size of a field. */
export async function bytes(place: Place): Promise<void> {
  await grow({
    file: `${place.name.toLowerCase()}-bytes`,
    title: `Bytes of one session in ${place.name}`,
    of: 'bytes',
    sizes: tens(1_000, 10_000_000),
    columns: ['set beside them', 'get beside them', 'set of them, per KB', 'get of them, per KB'],
    calls: place.calls,
    async at(size) {
      const state = stateOf(appOn(place));
      const text = 'v'.repeat(size);
      await state.update({ text, small: 7 });
      const things = size / 1_000;
      return [
        setting(place, state),
        getting(place, () => state.get('small'), 7),
        { ...getting(place, () => state.set('text', text), undefined), things },
        { ...getting(place, () => state.get('text'), text), things },
      ];
    },
  });
}
