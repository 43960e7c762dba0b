/** Whatever is called in whatever order, states behave like plain objects that nobody else can reach. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memory } from '../../adapters/memory.js';
import { AsyncState, QTasks } from '../../src/index.js';

type Shape = Record<string, unknown>;

class One extends AsyncState<Shape> {
  static readonly id = 'one';
}

class Other extends AsyncState<Shape> {
  static readonly id = 'other';
}

class Versioned extends AsyncState<Shape> {
  static readonly id = 'versioned';
  static readonly version = 3;
  static migrate(): never {
    throw new Error('there is no older data');
  }
}

class Started extends AsyncState<Shape> {
  static readonly id = 'started';
  static readonly initial: Shape = { a: 'initial', z: [1] };
}

const stateClasses = [One, Other, Versioned, Started];
type StateClass = (typeof stateClasses)[number];

const names = fc.constantFrom('a', 'b', '0', '', '__proto__', 'constructor', '\0', '\0v', 'z');
const values = fc.oneof(
  fc.integer({ min: -2, max: 2 }),
  fc.constantFrom<unknown>(undefined, null, '', 'text', -0, Number.NaN, 1n, new Date(0)),
  fc.constantFrom<unknown>([1, { deep: [] }], new Map([['k', new Set([1])]]), { __proto__: null }),
);
const fields = fc
  .array(fc.tuple(names, values), { maxLength: 3 })
  .map((entries): Shape => Object.fromEntries(entries));

type Call =
  | { readonly name: 'get'; readonly field: string }
  | { readonly name: 'set'; readonly field: string; readonly value: unknown }
  | { readonly name: 'update'; readonly fields: Shape }
  | { readonly name: 'count' | 'move' | 'fail'; readonly field: string }
  | { readonly name: 'delete'; readonly field: string }
  | { readonly name: 'getAll' | 'clear' };

const calls: fc.Arbitrary<Call> = fc.oneof(
  fc.record({ name: fc.constant('set' as const), field: names, value: values }),
  fc.record({ name: fc.constant('update' as const), fields }),
  fc.record({ name: fc.constantFrom('get', 'delete', 'count', 'move', 'fail'), field: names }),
  fc.record({ name: fc.constantFrom('getAll' as const, 'clear' as const) }),
);

const count =
  (field: string) =>
  (now: Shape): Shape =>
    Object.fromEntries([[field, Number.isFinite(now[field]) ? Number(now[field]) + 1 : 1]]);

const move =
  (field: string) =>
  (now: Shape): Shape => ({ b: Object.hasOwn(now, field) ? now[field] : undefined });

const fail = (field: string) => (): Shape => {
  throw field;
};

/** Fields as entries: matchers of objects take `constructor` for a class and overlook `undefined`. */
const comparable = (result: unknown): unknown =>
  Object.prototype.toString.call(result) === '[object Object]'
    ? Object.entries(Object(result)).sort(([one], [other]) => (one < other ? -1 : 1))
    : result;

/** Makes a call on a state. */
function make(state: One, call: Call): Promise<unknown> {
  if (call.name === 'get') return state.get(call.field, 'fallback');
  if (call.name === 'set') return state.set(call.field, call.value);
  if (call.name === 'update') return state.update(call.fields);
  if (call.name === 'count') return state.update(count(call.field));
  if (call.name === 'move') return state.update(move(call.field));
  if (call.name === 'fail') return state.update(fail(call.field)).catch((thrown) => [thrown]);
  if (call.name === 'delete') return state.delete(call.field);
  return state[call.name]();
}

/** One state in the model. */
class Model {
  readonly #initial: Shape;
  #stored = new Map<string, unknown>();

  constructor(initial: Shape = {}) {
    this.#initial = initial;
  }

  get all(): Shape {
    return Object.fromEntries([...Object.entries(this.#initial), ...this.#stored]);
  }

  /** Does what a call should, and returns what it should resolve to. */
  make(call: Call): unknown {
    const { all } = this;
    if (call.name === 'getAll') return all;
    if (call.name === 'get') return Object.hasOwn(all, call.field) ? all[call.field] : 'fallback';
    if (call.name === 'fail') return [call.field];
    if (call.name === 'clear') this.#stored.clear();
    else if (call.name === 'delete') this.#stored.delete(call.field);
    else if (call.name === 'set') this.#stored.set(call.field, call.value);
    else return this.#merge(this.#changes(call, all));
    return undefined;
  }

  #changes(call: Call, all: Shape): Shape {
    if (call.name === 'count') return count(call.field)(all);
    return call.name === 'update' ? call.fields : move((call as { field: string }).field)(all);
  }

  #merge(changes: Shape): Shape {
    for (const [field, value] of Object.entries(changes)) this.#stored.set(field, value);
    return this.all;
  }
}

/** Models by app name, session and class. */
class Models {
  readonly #models = new Map<string, Model>();

  at(app: string, session: string, stateClass: StateClass): Model {
    const key = JSON.stringify([app, session, stateClass.id]);
    const model = this.#models.get(key) ?? new Model(Reflect.get(stateClass, 'initial'));
    this.#models.set(key, model);
    return model;
  }
}

const at = (app: QTasks, session: string, stateClass: StateClass): One =>
  session === '' ? app.state(stateClass) : app.session(session).state(stateClass);

describe('states', () => {
  it('equal plain objects, for three apps on one storage, two of them of one name', async () => {
    const step = fc.record({
      app: fc.nat({ max: 2 }),
      session: fc.constantFrom('', 's', 't'),
      stateClass: fc.constantFrom(...stateClasses),
      call: calls,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const storage = memory();
        const apps = ['same', 'same', 'other'].map((name) => new QTasks({ name, storage }));
        const models = new Models();
        for (const { app: index, session, stateClass, call } of steps) {
          const app = apps[index] as QTasks;
          const model = models.at(index < 2 ? 'same' : 'other', session, stateClass);
          const result = await make(at(app, session, stateClass), call);
          expect(comparable(result)).toEqual(comparable(model.make(call)));
        }
      }),
      { numRuns: 80 },
    );
  });

  it('equal plain objects when all calls are made at once, in the order of the calls', async () => {
    const step = fc.record({
      session: fc.constantFrom('', 's'),
      stateClass: fc.constantFrom(One, Versioned, Started),
      call: calls,
      pause: fc.nat({ max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const app = new QTasks({ storage: memory() });
        const models = new Models();
        const pending: Promise<void>[] = [];
        for (const { session, stateClass, call, pause } of steps) {
          const expected = models.at('', session, stateClass).make(call);
          const made = make(at(app, session, stateClass), call);
          // A read may see what is written while it is on its way.
          const isRead = call.name === 'get' || call.name === 'getAll';
          const check = async (): Promise<void> => {
            const result = await made;
            if (!isRead) expect(comparable(result)).toEqual(comparable(expected));
          };
          pending.push(check());
          for (let turn = 0; turn < pause; turn++) await null;
        }
        await Promise.all(pending);
        for (const session of ['', 's']) {
          for (const stateClass of [One, Versioned, Started]) {
            const { all } = models.at('', session, stateClass);
            expect(comparable(await at(app, session, stateClass).getAll())).toEqual(
              comparable(all),
            );
          }
        }
      }),
      { numRuns: 80 },
    );
  });

  it('lose no count to other apps, whatever else goes on', async () => {
    const step = fc.record({
      app: fc.nat({ max: 2 }),
      field: fc.constantFrom('a', 'b'),
      pause: fc.nat({ max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const storage = memory();
        const states = [One, One, One].map((one) => new QTasks({ storage }).state(one));
        const pending: Promise<unknown>[] = [];
        for (const { app, field, pause } of steps) {
          pending.push(make(states[app] as One, { name: 'count', field }));
          if (pause === 4)
            pending.push(make(states[app] as One, { name: 'set', field: 'c', value: 1 }));
          for (let turn = 0; turn < pause; turn++) await null;
        }
        await Promise.all(pending);
        const { a = 0, b = 0 } = (await states[0]?.getAll()) ?? {};
        expect(Number(a) + Number(b)).toBe(steps.length);
      }),
      { numRuns: 50 },
    );
  });

  it('of any app, session and id never see each other', async () => {
    const name = fc.oneof(
      fc
        .array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 4 })
        .map((codes) => String.fromCharCode(...codes)),
      fc
        .array(fc.constantFrom(':', '/', '"', '[', ']', ',', '\\', '%', '{', '}', '\0', ' ', 'a'), {
          minLength: 1,
          maxLength: 4,
        })
        .map((parts) => parts.join('')),
    );
    const place = fc.record({ app: name, session: fc.oneof(name, fc.constant('')), id: name });
    const places = fc.uniqueArray(place, {
      selector: (one) => JSON.stringify(Object.values(one)),
      minLength: 2,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(places, async (all) => {
        const storage = memory();
        const states = all.map(({ app, session, id }) => {
          const named = class extends One {};
          return at(new QTasks({ name: app, storage }), session, Object.assign(named, { id }));
        });
        await Promise.all(states.map((state, index) => state.set('index', index)));
        for (const [index, state] of states.entries())
          expect(await state.getAll()).toEqual({ index });
        await states[0]?.clear();
        for (const [index, state] of states.entries())
          expect(await state.get('index')).toBe(index || undefined);
      }),
      { numRuns: 100 },
    );
  });
});
