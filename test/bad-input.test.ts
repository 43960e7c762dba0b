/**
 * Every public function given wrong arguments: the error comes at once, says what was expected, and
 * leaves everything as it was. Names that only look dangerous work.
 */
import { describe, expect, test } from 'vitest';
import { memory } from '../adapters/memory.js';
import {
  type AnyTask,
  AsyncState,
  Context,
  Depends,
  type ErrorCode,
  isQTasksError,
  type Middleware,
  QTasks,
  type StorageAdapter,
  task,
} from '../src/index.js';
import type { StandardResult } from '../src/types.js';
import { schema } from './support/schemas.js';

class Known extends AsyncState<{ step: number; more: unknown }> {
  static readonly id = 'known';
}
class Nameless extends AsyncState<{ step: number }> {}
class Plain {}

const value = Depends(() => 'real');
const ofSession = Depends(() => 1, { scope: 'session' });
const ofWorker = Depends(() => 1, { scope: 'worker' });
const user = Depends({ ofWorker }, ({ ofWorker }) => ofWorker, { scope: 'worker' });
const known = task('known', { value, user, state: Known }, async ({ value, state }) => [
  value,
  await state.getAll(),
]);
const unregistered = task('unregistered', () => 1);

/** An app with one task, one dependency that it needs and one field that is stored. */
class Fixture {
  readonly storage = memory();
  readonly app = new QTasks({ name: 'app', storage: this.storage, tasks: { known } });
  readonly session = this.app.session('ann');
  readonly state = this.app.state(Known);

  static async create(): Promise<Fixture> {
    const fixture = new Fixture();
    await fixture.state.set('step', 1);
    return fixture;
  }

  /** Everything that a wrong call might have changed. */
  async look(): Promise<unknown> {
    const { app, storage } = this;
    const buckets = [];
    for await (const id of storage.list({ app: 'app' })) {
      buckets.push([id.session, id.state, [...(await storage.read(id)).fields]]);
    }
    const { error } = await app.run('t' as never as AnyTask).settled;
    return { known: await app.run(known), buckets, t: isQTasksError(error) && error.code };
  }

  /** Calls something with the context of a run. */
  async within(call: (ctx: Context) => unknown): Promise<unknown> {
    return await this.app.task('within', { ctx: Context }, ({ ctx }) => call(ctx))();
  }
}

/** One function with one parameter, and what must not be passed there. */
interface Group {
  readonly call: string;
  readonly values: readonly unknown[];
  /** `never` fits every parameter. */
  readonly act: (fixture: Fixture, value: never) => unknown;
  readonly code: ErrorCode;
  readonly says: RegExp;
}

const noText = [undefined, null, 1, Number.NaN, true, {}, [], ['t'], () => 't', Symbol('t')];
const noName = [...noText, ''];
const noFunction = [undefined, null, 0, 'open', true, {}, [], Promise.resolve(), Symbol('f')];
const noObject = [null, 0, 'text', true, [], ['text'], () => 1, Symbol('o')];
const noNeeds = [null, 1, 'text', true, [], [value], Promise.resolve(), value, Known];
const noDuration = [
  -1,
  Number.NaN,
  -Number.MIN_VALUE,
  Number.NEGATIVE_INFINITY,
  '1',
  null,
  true,
  {},
];
const noLimit = [0, -0, ...noDuration];
const noCount = [-1, 1.5, Number.NaN, '1', null, true];
const noBoolean = [null, 0, 1, 'true', {}];
const noSchema = [
  ...[null, 1, 'string', true, [], {}, () => true, Number],
  ...[{ validate: () => true }, { '~standard': null }, { '~standard': {} }],
  { '~standard': { version: 1, vendor: 'test', validate: 'yes' } },
];
const noMiddleware = [null, 1, 'log', true, {}, Promise.resolve(), ['log'], [null], [[() => 1]]];
const unknownOption = [
  { nope: 1 },
  { nope: undefined },
  JSON.parse('{"__proto__":1}'),
  { toString: 1 },
];

/** A record of options with one that is wrong. */
const each = (name: string, values: readonly unknown[], rest: object = {}): object[] =>
  values.map((wrong) => ({ ...rest, [name]: wrong }));

const retries = (values: readonly unknown[]): object[] => each('retry', values);
const policies = (name: string, values: readonly unknown[]): object[] =>
  retries(each(name, values, { limit: 1 }));

/** The same groups for a task that is free and for one that is made by an app. */
const taskGroups = (
  call: string,
  define: (fixture: Fixture) => (...args: never[]) => unknown,
): Group[] => {
  const options = (says: RegExp, values: readonly unknown[]): Group => ({
    call: `${call}(name, handler, options)`,
    values,
    act: (fixture, options) => define(fixture)('t' as never, (() => 1) as never, options),
    code: 'OPTION_INVALID',
    says,
  });
  return [
    {
      call: `${call}(name, handler)`,
      values: [...noName, 'a:b', ':', 'a:'],
      act: (fixture, name) => define(fixture)(name, (() => 1) as never),
      code: 'OPTION_INVALID',
      says: /^task: the name must be a non-empty string without ":"; received /,
    },
    {
      call: `${call}("t", handler)`,
      values: noFunction,
      act: (fixture, handler) => define(fixture)('t' as never, handler),
      code: 'OPTION_INVALID',
      says: /^task "t": .*handler.* must be .*; received /,
    },
    {
      call: `${call}("t", { value }, handler)`,
      values: noFunction,
      act: (fixture, handler) => define(fixture)('t' as never, { value } as never, handler),
      code: 'OPTION_INVALID',
      says: /^task "t": the handler must be a function; received /,
    },
    {
      call: `${call}("t", needs, handler)`,
      values: noNeeds,
      act: (fixture, needs) => define(fixture)('t' as never, needs, (() => 1) as never),
      code: 'OPTION_INVALID',
      says: /^task "t": .* must be a record of needs, like .*; received /,
    },
    options(
      /^task "t": the options must be an object; received /,
      // Two functions are read as needs and a handler.
      noObject.filter((options) => typeof options !== 'function'),
    ),
    options(/^task "t": there is no option ".*"; expected timeout, grace, retry/, unknownOption),
    options(/"timeout" must be milliseconds, more than 0; received /, each('timeout', noLimit)),
    options(/"grace" must be milliseconds, 0 or more; received /, each('grace', noDuration)),
    options(
      /"priority" must be a number; received /,
      each('priority', [Number.NaN, '1', null, {}]),
    ),
    options(/"retry" must be a whole number, 0 or more, or an object/, retries([...noCount, []])),
    options(/"retry.limit" must be a whole number, 0 or more; received /, retries([{}])),
    options(/"limit" must be a whole number, 0 or more; received /, policies('limit', noCount)),
    options(/retry: there is no option ".*"; expected limit, delay/, policies('times', [3])),
    options(/"delay" must be milliseconds, 0 or more/, policies('delay', noDuration)),
    options(
      /"factor" must be a number, 1 or more/,
      policies('factor', [0.5, Number.NaN, '2', null]),
    ),
    options(/"maxDelay" must be milliseconds, 0 or more/, policies('maxDelay', noDuration)),
    options(/"jitter" must be a boolean/, policies('jitter', noBoolean)),
    options(
      /"when" must be a function, or an array of error classes/,
      policies('when', [null, 1, 'Error', {}, ['Error'], [undefined]]),
    ),
    options(/"exclusive" must be a boolean; received /, each('exclusive', noBoolean)),
    options(/"input" must be a Standard Schema; received /, each('input', noSchema)),
    options(/"output" must be a Standard Schema; received /, each('output', noSchema)),
    options(
      /"middleware" must be a function \(run, next\), or an array of them; received /,
      each('middleware', noMiddleware),
    ),
    options(/"tags" must be an array of strings/, each('tags', ['slow', [1], {}, null])),
    options(/"description" must be a string/, each('description', [1, null, {}])),
    options(/"meta" must be an object/, each('meta', [1, null, 'owner'])),
  ];
};

/** The same groups for `Depends` and `Depends.using`. */
const dependsGroups = (call: string, depends: (...args: never[]) => unknown): Group[] => {
  const options = (says: RegExp, values: readonly unknown[]): Group => ({
    call: `${call}(open, options)`,
    values,
    act: (_, options) => depends((() => null) as never, options),
    code: 'OPTION_INVALID',
    says,
  });
  const where = call.replace('.', '\\.');
  return [
    {
      call: `${call}(open)`,
      values: noFunction,
      act: (_, open) => depends(open),
      code: 'OPTION_INVALID',
      says: new RegExp(`^${where}: .*(open|function).* must be .*; received `),
    },
    {
      call: `${call}({ value }, open)`,
      values: noFunction,
      act: (_, open) => depends({ value } as never, open),
      code: 'OPTION_INVALID',
      says: new RegExp(`^${where}: open must be a function; received `),
    },
    {
      call: `${call}(needs, open)`,
      values: noNeeds.filter((needs) => needs !== Known),
      act: (_, needs) => depends(needs, (() => null) as never),
      code: 'OPTION_INVALID',
      says: new RegExp(`^${where}: .* must be a record of needs, like .*; received `),
    },
    options(new RegExp(`^${where}: the options must be an object; received `), noObject),
    options(new RegExp(`^${where}: there is no option ".*"; expected scope, cache`), unknownOption),
    options(
      /"scope" must be one of task, session, worker, storage; received /,
      each('scope', [null, 1, '', 'broker', 'constructor', '__proto__', ['task'], {}]),
    ),
    options(/"cache" must be a boolean; received /, each('cache', noBoolean)),
    options(/"timeout" must be milliseconds, more than 0; received /, each('timeout', noLimit)),
    options(/"closeTimeout" must be milliseconds, more than 0/, each('closeTimeout', noLimit)),
  ];
};

/** What a registration finds wrong with needs, and says by their path. */
const needsGroups: Group[] = [
  {
    call: 'app.task("t", { need }, handler)',
    values: [undefined, null, 1, 'text', true, {}, [], [value], () => 1, Promise.resolve(value)],
    act: ({ app }, need) => app.task('t', { need }, () => 1),
    code: 'DEPENDENCY_INVALID',
    says: /^task "t": the need "need" must be a Depends\(…\), an AsyncState class or Context; received /,
  },
  {
    call: 'app.task("t", { need }, handler)',
    values: [Plain, unregistered, Symbol('need'), new QTasks(), Map],
    act: ({ app }, need) => app.task('t', { need }, () => 1),
    code: 'DEPENDENCY_INVALID',
    says: /^task "t": the need "need" must be a Depends\(…\), an AsyncState class or Context; received /,
  },
  {
    call: 'app.task("t", { outer: Depends({ need }, open) }, handler)',
    values: [undefined, null, 1, {}, Plain],
    act: ({ app }, need) => app.task('t', { outer: Depends({ need }, () => 1) }, () => 1),
    code: 'DEPENDENCY_INVALID',
    says: /^task "t": the need "outer > need" must be a Depends\(…\)/,
  },
  {
    call: 'app.task("t", { state }, handler)',
    values: [Nameless, AsyncState, withStatics({ id: '' }), withStatics({ id: 1 })],
    act: ({ app }, state) => app.task('t', { state }, () => 1),
    code: 'STATE_INVALID',
    says: /static id must be a non-empty string, like static readonly id = "registration"; received /,
  },
  {
    call: 'app.task("t", { state }, handler)',
    values: [withStatics({ id: 'known' })],
    act: ({ app }, state) => app.task('t', { state }, () => 1),
    code: 'STATE_DUPLICATE',
    says: /id "known" is that of Known already; give one of them another id/,
  },
  {
    call: 'app.task("t", { one, two }, handler)',
    values: [withStatics({ id: 'twin' })],
    act: ({ app }, two) =>
      app.task('t', { one: withStatics({ id: 'twin' }) as never, two }, () => 1),
    code: 'STATE_DUPLICATE',
    says: /id "twin" is that of .* already; give one of them another id/,
  },
  ...(
    [
      [
        /static ttl must be milliseconds, more than 0/,
        'ttl',
        [...noLimit, Number.POSITIVE_INFINITY],
      ],
      [/static initial must be a record of values/, 'initial', [null, 1, 'text', [1], () => 1]],
      [/static fields must be a record of Standard Schemas/, 'fields', [null, 1, 'text', [1]]],
      [/static fields.step must be a Standard Schema/, 'fields', [{ step: 1 }, { step: null }]],
      [/static fields.step must be a Standard Schema/, 'fields', [{ step: {} }, { step: Number }]],
      [/static version must be a whole number, 1 or more/, 'version', [0, ...noCount]],
      [/static migrate must be a function, as version is 2/, 'version', [2]],
    ] as const
  ).map(([says, name, values]): Group => {
    const states = values.map((wrong) => withStatics({ id: 'wrong', [name]: wrong }));
    const act: Group['act'] = ({ app }, state) => app.task('t', { state }, () => 1);
    return {
      call: 'app.task("t", { state }, handler)',
      values: states,
      act,
      code: 'STATE_INVALID',
      says,
    };
  }),
  {
    call: 'app.task("t", { state }, handler)',
    values: each('step', [() => 1, Symbol('s'), new Plain()]).map((initial) =>
      withStatics({ id: 'wrong', initial }),
    ),
    act: ({ app }, state) => app.task('t', { state }, () => 1),
    code: 'VALUE_UNSUPPORTED',
    says: /Cannot store the .* at step; store plain data/,
  },
  {
    call: 'app.task("t", { loop }, handler)',
    values: [selfish('loop')],
    act: ({ app }, loop) => app.task('t', { loop }, () => 1),
    code: 'DEPENDENCY_CYCLE',
    says: /^task "t": .* needs itself: loop > loop; take one of these out/,
  },
  {
    call: 'app.task("t", { page }, handler)',
    values: [circle()],
    act: ({ app }, page) => app.task('t', { page }, () => 1),
    code: 'DEPENDENCY_CYCLE',
    says: /^task "t": .* needs itself: page > db > config > page; take one of these out/,
  },
  {
    call: 'app.task("t", { owner: Depends({ need }, open, { scope: "session" }) }, handler)',
    values: [value, Context],
    act: ({ app }, need) => app.task('t', { owner: captive(need, 'session') }, () => 1),
    code: 'DEPENDENCY_SCOPE',
    says: /^task "t": the need "owner > need" lives in task scope, shorter than the session scope of "owner"/,
  },
  {
    call: 'app.task("t", { owner: Depends({ need }, open, { scope: "worker" }) }, handler)',
    values: [value, Context, ofSession, Known],
    act: ({ app }, need) => app.task('t', { owner: captive(need, 'worker') }, () => 1),
    code: 'DEPENDENCY_SCOPE',
    says: /lives in (task|session) scope, shorter than the worker scope of "owner" that needs it; change/,
  },
  {
    call: 'app.task("t", { owner: Depends({ need }, open, { scope: "storage" }) }, handler)',
    values: [value, Context, ofSession, Known, ofWorker],
    act: ({ app }, need) => app.task('t', { owner: captive(need, 'storage') }, () => 1),
    code: 'DEPENDENCY_SCOPE',
    says: /lives in (task|session|worker) scope, shorter than the storage scope of "owner" that needs it/,
  },
  {
    call: 'app.task("known", handler)',
    values: [() => 1, async () => 1],
    act: ({ app }, handler) => app.task('known', handler),
    code: 'TASK_DUPLICATE',
    says: /^task "known" is registered with app "app" already; give one of the two another name/,
  },
];

/** A state class with these static members. */
function withStatics(members: object): typeof AsyncState {
  return Object.assign(class extends AsyncState<{ step: number }> {}, members) as typeof AsyncState;
}

/** A dependency that needs itself. */
function selfish(key: string): unknown {
  const needs = {};
  const self = Depends(needs, () => 1);
  Object.defineProperty(needs, key, { enumerable: true, get: () => self });
  return self;
}

/** Three dependencies that need each other: page > db > config > page. */
function circle(): unknown {
  const needs = {};
  const config = Depends(needs, () => 1);
  const db = Depends({ config }, () => 1);
  const page = Depends({ db }, () => 1);
  Object.defineProperty(needs, 'page', { enumerable: true, get: () => page });
  return page;
}

/** A storage that cannot keep runs apart. */
function lockless(): StorageAdapter {
  return Object.assign(memory(), { lock: undefined }) as object as StorageAdapter;
}

function captive(need: never, scope: 'session' | 'worker' | 'storage'): typeof value {
  return Depends({ need }, () => 'real', { scope }) as never;
}

const appOptions = (says: RegExp, values: readonly unknown[]): Group => ({
  call: 'new QTasks(options)',
  values,
  act: (_, options) => new QTasks(options),
  code: 'OPTION_INVALID',
  says,
});

const methods: readonly (keyof StorageAdapter)[] = ['read', 'commit', 'list', 'close'];
const lacking = methods.map((method) => ({
  read() {},
  commit() {},
  list() {},
  close() {},
  [method]: undefined,
}));

const appGroups: Group[] = [
  appOptions(/^new QTasks: the options must be an object; received /, noObject),
  appOptions(/^new QTasks: there is no option ".*"; expected name, tasks, storage/, unknownOption),
  appOptions(/"name" must be a non-empty string; received /, each('name', [...noName.slice(1)])),
  appOptions(/"tasks" must be an object; received /, each('tasks', [null, 1, 'step1', () => 1])),
  appOptions(
    /"storage" must be a storage adapter, like memory\(\); received /,
    each('storage', [null, 1, 'memory', {}, [], new Map(), memory, ...lacking]),
  ),
  appOptions(
    /"concurrency" must be a whole number, 1 or more, or Infinity; received /,
    each('concurrency', [0, -1, 1.5, Number.NaN, Number.NEGATIVE_INFINITY, '4', null]),
  ),
  appOptions(/"grace" must be milliseconds, 0 or more; received /, each('grace', noDuration)),
  appOptions(
    /"logger" must be an object with info, warn and error; received /,
    each('logger', [null, 1, {}, () => {}, { info() {}, warn() {} }, { ...console, error: 1 }]),
  ),
  appOptions(
    /"clock" must be a clock; received /,
    each('clock', [null, 1, {}, Date, { now: () => 0 }]),
  ),
  appOptions(
    /"middleware" must be a function \(run, next\), or an array of them; received /,
    each('middleware', noMiddleware),
  ),
  appOptions(
    /"remember" must be an object; received /,
    each('remember', [null, 1_000, true, 'all', [], () => 1]),
  ),
  appOptions(
    /^new QTasks: remember: there is no option ".*"; expected limit, ttl/,
    each('remember', unknownOption),
  ),
  appOptions(
    /^new QTasks: remember: option "limit" must be a whole number, 0 or more; received /,
    each('remember', each('limit', noCount)),
  ),
  appOptions(
    /^new QTasks: remember: option "ttl" must be milliseconds, 0 or more; received /,
    each('remember', each('ttl', noDuration)),
  ),
  {
    call: 'new QTasks({ tasks })',
    values: [{ one: task('twin', () => 1), two: task('twin', () => 2) }],
    act: (_, tasks) => new QTasks({ tasks }),
    code: 'TASK_DUPLICATE',
    says: /^task "twin" is registered with app "qtasks" already; give one of the two another name/,
  },
  {
    call: 'new QTasks({ tasks: { t: task("t", { need }, handler) } })',
    values: [undefined, 1, Plain],
    act: (_, need) => new QTasks({ tasks: { t: task('t', { need }, () => 1) } }),
    code: 'DEPENDENCY_INVALID',
    says: /^task "t": the need "need" must be a Depends\(…\)/,
  },
];

const runGroups: Group[] = [
  {
    call: 'app.run(target)',
    values: [undefined, null, 1, true, {}, [], () => 1, Symbol('t'), value, Known],
    act: ({ app }, target) => app.run(target as AnyTask),
    code: 'TASK_UNKNOWN',
    says: /^run: expected a task or its name; received /,
  },
  {
    call: 'app.run(name)',
    values: ['', 'nope', 'KNOWN', '__proto__', 'constructor', 'toString', 'hasOwnProperty'],
    act: ({ app }, name) => app.run(name as AnyTask),
    code: 'TASK_UNKNOWN',
    says: /^app "app" has no task ".*"; pass it to new QTasks\({ tasks }\) or make it with app\.task/,
  },
  {
    call: 'app.session("ann").run(task)',
    values: [unregistered, new QTasks().task('bound', () => 1)],
    act: ({ session }, target) => session.run(target as AnyTask),
    code: 'TASK_UNKNOWN',
    says: /^app "app" has no task "(unregistered|bound)"; pass it to new QTasks/,
  },
  {
    call: 'app.run(another task of the name)',
    values: [task('known', () => 1), new QTasks().task('known', () => 1)],
    act: ({ app }, target) => app.run(target as AnyTask),
    code: 'TASK_UNKNOWN',
    says: /^app "app" has another task "known" than the one to run; register that one, or run it by/,
  },
  {
    call: 'app.with({ id }).run(task), the id of a run of another task,',
    values: ['one', '__proto__', ':'],
    act: async (_, id) => {
      const app = new QTasks({ tasks: { known, unregistered }, storage: memory() });
      const client = app.session('ann').with({ id });
      await client.run(unregistered);
      await client.run(known);
    },
    code: 'OPTION_INVALID',
    says: /^run: the id ".*" is that of a run of task "unregistered"; take another id/,
  },
  {
    call: 'app.run(exclusive), on a storage without locks,',
    values: [lockless()],
    act: (_, storage) => new QTasks({ storage }).task('alone', () => 1, { exclusive: true })(),
    code: 'STORAGE_MISSING',
    says: /^task "alone" is exclusive, but storage "memory" has no locks; use one that has/,
  },
  ...(
    [
      [
        /^task "strict": the arguments: its schema refused the value/,
        'INPUT_INVALID',
        { issues: [] },
      ],
      [
        /^task "strict": the arguments: option "input" must be a schema/,
        'OPTION_INVALID',
        { value: 1 },
      ],
    ] as const
  ).map(
    ([says, code, answer]): Group => ({
      call: 'app.run(task with input, argument)',
      values: [undefined, null, Number.NaN, new Proxy({}, {}), () => 1, Symbol('s')],
      act: (_, argument) => {
        const validate = (): StandardResult<[unknown]> => answer as StandardResult<[unknown]>;
        const input = schema(validate);
        return new QTasks().task('strict', (value) => value, { input })(argument);
      },
      code,
      says,
    }),
  ),
];

const clientGroups: Group[] = [
  {
    call: 'app.session(id)',
    values: noName,
    act: ({ app }, id) => app.session(id),
    code: 'OPTION_INVALID',
    says: /^session: the id must be a non-empty string; received /,
  },
  ...(
    [
      [/^with: the options must be an object; received /, [undefined, ...noObject]],
      [/^with: there is no option ".*"; expected signal, timeout, priority/, unknownOption],
      [
        /"signal" must be an AbortSignal; received /,
        each('signal', [null, {}, 1, new AbortController(), () => {}]),
      ],
      [/"timeout" must be milliseconds, more than 0; received /, each('timeout', noLimit)],
      [/"priority" must be a number; received /, each('priority', [Number.NaN, '1', null])],
      [/"id" must be a non-empty string; received /, each('id', noName.slice(1))],
      [
        /"transfer" must be an array of transferable objects; received /,
        each('transfer', [null, 1, 'buffer', {}, new ArrayBuffer(1), new Set(), { length: 0 }]),
      ],
    ] as const
  ).map(
    ([says, values]): Group => ({
      call: 'app.session("ann").with(settings)',
      values,
      act: ({ session }, settings) => session.with(settings),
      code: 'OPTION_INVALID',
      says,
    }),
  ),
  {
    call: 'app.state(class)',
    values: [undefined, null, 1, 'known', {}, [], () => 1, Plain, Map, value, known, Context],
    act: ({ app }, state) => app.state(state),
    code: 'OPTION_INVALID',
    says: /^state: expected a class that extends AsyncState; received /,
  },
  {
    call: 'app.state(state)',
    values: ['ann'],
    act: ({ app, session }) => app.state(session.state(Known) as never),
    code: 'OPTION_INVALID',
    says: /^state: expected a class that extends AsyncState; received an object/,
  },
  {
    call: 'app.state(class)',
    values: [Nameless, AsyncState, withStatics({ id: '' }), withStatics({ id: 'wrong', ttl: 0 })],
    act: ({ session }, state) => session.state(state),
    code: 'STATE_INVALID',
    says: /static (id|ttl) must be .*; received /,
  },
  {
    call: 'app.state(class)',
    values: [withStatics({ id: 'known' })],
    act: ({ app }, state) => app.state(state),
    code: 'STATE_DUPLICATE',
    says: /id "known" is that of Known already; give one of them another id/,
  },
  {
    call: 'new QTasks().state(class)',
    values: [Known],
    act: (_, state) => new QTasks().state(state),
    code: 'STORAGE_MISSING',
    says: /^state "known" needs a storage; pass one to new QTasks, like { storage: memory\(\) }/,
  },
  {
    call: 'new Registration()',
    values: [Known],
    act: (_, State: new () => unknown) => new State(),
    code: 'STATE_INVALID',
    says: /^state class Known: it is not constructed by hand; name it in needs, or pass it to app\.state/,
  },
  {
    call: 'app.use(middleware)',
    values: [undefined, ...noMiddleware],
    act: ({ app }, middleware) => app.use(middleware),
    code: 'OPTION_INVALID',
    says: /^use: the middleware must be a function \(run, next\), or an array of them; received /,
  },
  {
    call: 'run[Symbol.asyncIterator]() a second time',
    values: [known, unregistered],
    act: (_, target: AnyTask) => {
      const run = new QTasks({ tasks: { target }, storage: memory() }).run(target);
      run[Symbol.asyncIterator]();
      run[Symbol.asyncIterator]();
    },
    code: 'OPTION_INVALID',
    says: /^task "(known|unregistered)": a run has one reader, and this one is being iterated already/,
  },
  {
    call: 'app.on(name, listener)',
    values: [
      undefined,
      null,
      1,
      '',
      'start',
      'run:done',
      '__proto__',
      'toString',
      ['run:start'],
      {},
    ],
    act: ({ app }, name) => app.on(name, () => {}),
    code: 'OPTION_INVALID',
    says: /^on: there is no such event; expected one of run:start, run:return/,
  },
  {
    call: 'app.on("run:start", listener)',
    values: noFunction,
    act: ({ app }, listener) => app.on('run:start', listener),
    code: 'OPTION_INVALID',
    says: /^on\("run:start"\): the listener must be a function/,
  },
];

const overrideGroups: Group[] = [
  {
    call: 'app.override(dependency, fake)',
    values: [undefined, null, 1, 'value', {}, [], () => 1, Known, Context, known],
    act: ({ app }, dependency) => app.override(dependency, () => 'fake' as never),
    code: 'OPTION_INVALID',
    says: /^override: the first argument must be a Depends\(…\); received /,
  },
  {
    call: 'app.override(value, replacement)',
    values: [undefined, null, 1, 'fake', {}, [], Promise.resolve('fake')],
    act: ({ app }, replacement) => app.override(value, replacement),
    code: 'OPTION_INVALID',
    says: /^override: the replacement must be a function or a Depends\(…\); received /,
  },
  {
    call: 'app.override(ofWorker, replacement)',
    values: [value, ofSession],
    act: ({ app }, replacement) => app.override(ofWorker, replacement),
    code: 'DEPENDENCY_SCOPE',
    says: /^task "known": the need "user > ofWorker" lives in (task|session) scope, shorter than the worker/,
  },
  {
    call: 'app.override(value, replacement)',
    values: [selfish('value')],
    act: ({ app }, replacement) => app.override(value, replacement),
    code: 'DEPENDENCY_CYCLE',
    says: /^task "known": .* needs itself: value > value; take one of these out/,
  },
  {
    call: 'app.override(value, Depends({ need }, open))',
    values: [undefined, 1, Plain],
    act: ({ app }, need) =>
      app.override(
        value,
        Depends({ need }, () => 'fake'),
      ),
    code: 'DEPENDENCY_INVALID',
    says: /^task "known": the need "value > need" must be a Depends\(…\)/,
  },
];

const closeGroups: Group[] = (['app', 'session'] as const).flatMap((which) =>
  (
    [
      [/^close: the options must be an object; received /, noObject],
      [/^close: there is no option ".*"; expected drain/, unknownOption],
      [/"drain" must be milliseconds, 0 or more; received /, each('drain', noDuration)],
    ] as const
  ).map(
    ([says, values]): Group => ({
      call: `${which}.close(options)`,
      values,
      act: (fixture, options) => fixture[which].close(options),
      code: 'OPTION_INVALID',
      says,
    }),
  ),
);

const contextGroups: Group[] = [
  {
    call: 'ctx.sleep(duration)',
    values: [undefined, [], ...noDuration],
    act: (fixture, duration) => fixture.within((ctx) => ctx.sleep(duration)),
    code: 'OPTION_INVALID',
    says: /^ctx\.sleep: the duration must be milliseconds, 0 or more; received /,
  },
  {
    call: 'ctx.defer(callback)',
    values: noFunction,
    act: (fixture, callback) => fixture.within((ctx) => ctx.defer(callback)),
    code: 'OPTION_INVALID',
    says: /^ctx\.defer: the callback must be a function; received /,
  },
  {
    call: 'ctx.defer(callback) after the teardown has begun',
    values: [() => {}],
    act: async (fixture, callback) => {
      let late: Context | undefined;
      await fixture.within((ctx) => {
        late = ctx;
      });
      late?.defer(callback);
    },
    code: 'OPTION_INVALID',
    says: /^ctx\.defer: the teardown has begun; defer earlier/,
  },
  {
    call: 'ctx.run(target)',
    values: [undefined, null, 1, true, {}, [], () => 1, Symbol('t'), value, Known],
    act: (fixture, target) => fixture.within((ctx) => ctx.run(target as AnyTask)),
    code: 'TASK_UNKNOWN',
    says: /^run: expected a task or its name; received /,
  },
  {
    call: 'ctx.run(name)',
    values: ['', 'nope', 'KNOWN', '__proto__', 'constructor', 'toString'],
    act: (fixture, name: string) => fixture.within((ctx) => ctx.run(name)),
    code: 'TASK_UNKNOWN',
    says: /^app "app" has no task ".*"; pass it to new QTasks\({ tasks }\) or make it with app\.task/,
  },
  {
    call: 'ctx.run(task of another app)',
    values: [unregistered, new QTasks().task('bound', () => 1), task('known', () => 1)],
    act: (fixture, target) => fixture.within((ctx) => ctx.run(target as AnyTask)),
    code: 'TASK_UNKNOWN',
    says: /^app "app" has (no|another) task "(unregistered|bound|known)"/,
  },
  {
    call: 'ctx.run(target) after the run is over',
    values: [known, 'known', 'nope'],
    act: async (fixture, target) => {
      let late: Context | undefined;
      await fixture.within((ctx) => {
        late = ctx;
      });
      await late?.run(target as AnyTask);
    },
    code: 'OPTION_INVALID',
    says: /^ctx\.run: the run is over; run it earlier/,
  },
];

const noStored = [
  () => 1,
  Symbol('s'),
  new Plain(),
  Promise.resolve(1),
  new Error(),
  new WeakMap(),
  new DataView(new ArrayBuffer(1)),
  Object(1),
  Object.assign([1], { extra: 2 }),
  { toJSON: () => 1 },
];

const stateGroups: Group[] = [
  {
    call: 'state.get(field)',
    values: noText.slice(2),
    act: ({ state }, field) => state.get(field),
    code: 'OPTION_INVALID',
    says: /^get: the field must be a string; received /,
  },
  {
    call: 'state.set(field, value)',
    values: noText,
    act: ({ state }, field) => state.set(field, 2 as never),
    code: 'OPTION_INVALID',
    says: /^set: the field must be a string; received /,
  },
  {
    call: 'state.delete(field)',
    values: noText,
    act: ({ state }, field) => state.delete(field),
    code: 'OPTION_INVALID',
    says: /^delete: the field must be a string; received /,
  },
  {
    call: 'state.set("more", value)',
    values: noStored,
    act: ({ state }, more) => state.set('more', more),
    code: 'VALUE_UNSUPPORTED',
    says: /^Cannot store the .* at more; store plain data made of it/,
  },
  {
    call: 'state.update({ step: 2, more: { deep: [value] } })',
    values: noStored,
    act: ({ state }, deep) => state.update({ step: 2, more: { deep: [deep] } }),
    code: 'VALUE_UNSUPPORTED',
    says: /^Cannot store the .* at more\.deep\.0; store plain data made of it/,
  },
  {
    call: 'state.update(() => ({ step: 2, more: value }))',
    values: noStored,
    act: ({ state }, more) => state.update(() => ({ step: 2, more })),
    code: 'VALUE_UNSUPPORTED',
    says: /^Cannot store the .* at more; store plain data made of it/,
  },
  {
    call: 'state.update(values)',
    values: [
      undefined,
      null,
      1,
      'step',
      true,
      [],
      [['step', 2]],
      Symbol('s'),
      new Map([['step', 2]]),
    ],
    act: ({ state }, values) => state.update(values),
    code: 'STATE_INVALID',
    says: /^state "known": update expects a record of fields, or a function that returns one; received /,
  },
  {
    call: 'state.update(() => values)',
    values: [undefined, null, 1, 'step', true, [], () => ({}), new Map([['step', 2]])],
    act: ({ state }, values) => state.update(() => values),
    code: 'STATE_INVALID',
    says: /^state "known": update expects a record of fields, or a function that returns one; received /,
  },
  {
    call: 'state.update(async () => values)',
    values: [{ step: 2 }, undefined],
    act: ({ state }, values) => state.update((async () => values) as never),
    code: 'STATE_INVALID',
    says: /^state "known": update expects .*; received a promise; update by a synchronous function/,
  },
  {
    call: 'state.update(promise)',
    values: [Promise.resolve({ step: 2 })],
    act: ({ state }, values) => state.update(values),
    code: 'STATE_INVALID',
    says: /^state "known": update expects .*; received a promise/,
  },
  {
    call: 'state.subscribe(listener)',
    values: noFunction,
    act: ({ state }, listener) => state.subscribe(listener),
    code: 'OPTION_INVALID',
    says: /^subscribe: the listener must be a function; received /,
  },
  {
    call: 'state.changes(options)',
    values: noObject,
    act: ({ state }, options) => state.changes(options),
    code: 'OPTION_INVALID',
    says: /^changes: the options must be an object; received /,
  },
  {
    call: 'state.changes(options)',
    values: each('signal', [null, 1, {}, new AbortController()]),
    act: ({ state }, options) => state.changes(options),
    code: 'OPTION_INVALID',
    says: /"signal" must be an AbortSignal; received /,
  },
];

/** Watching is not asynchronous. */
const watches = /subscribe|changes/;

const memoryGroups: Group[] = (
  [
    [/^memory: the options must be an object; received /, noObject],
    [/^memory: there is no option ".*"; expected maxSessions, ttl, onEvict/, unknownOption],
    [
      /"maxSessions" must be a whole number, 1 or more; received /,
      each('maxSessions', [0, Number.POSITIVE_INFINITY, ...noCount]),
    ],
    [
      /"ttl" must be milliseconds, more than 0; received /,
      each('ttl', [Number.POSITIVE_INFINITY, ...noLimit]),
    ],
    [/"onEvict" must be a function; received /, each('onEvict', noFunction.slice(1))],
    [/"clock" must be a clock; received /, each('clock', [null, 1, {}, Date])],
  ] as const
).map(
  ([says, values]): Group => ({
    call: 'memory(options)',
    values,
    act: (_, options) => memory(options),
    code: 'OPTION_INVALID',
    says,
  }),
);

/** Writes a wrong argument so that it can stand in a title. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return value.name || 'a function';
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Object.getPrototypeOf(value) !== Object.prototype) return `a ${value.constructor.name}`;
  return `{ ${Object.entries(value).map(([key, field]) => `${key}: ${show(field)}`)} }`;
}

const rowsOf = (groups: readonly Group[]) =>
  groups.flatMap((group) =>
    group.values.map(
      (wrong) => [`${group.call} refuses ${show(wrong)}`, group, wrong as never] as const,
    ),
  );

/** How a call fails: with what, and whether it threw or gave a promise that rejects. */
async function failureOf(act: () => unknown): Promise<readonly [how: string, error: unknown]> {
  let result: unknown;
  try {
    result = act();
  } catch (error) {
    return ['throws', error];
  }
  try {
    await result;
  } catch (error) {
    return ['rejects', error];
  }
  return ['accepts', undefined];
}

/** The sections of the table, each with how its functions report an error. */
const sections: readonly (readonly [string, 'throws' | 'rejects', readonly Group[]])[] = [
  ['task', 'throws', taskGroups('task', () => task as never)],
  ['app.task', 'throws', taskGroups('app.task', ({ app }) => app.task as never)],
  ['app.task registers', 'throws', needsGroups],
  ['Depends', 'throws', dependsGroups('Depends', Depends as never)],
  ['Depends.using', 'throws', dependsGroups('Depends.using', Depends.using as never)],
  ['new QTasks', 'throws', appGroups],
  ['run', 'rejects', runGroups],
  ['session, with, state, on', 'throws', clientGroups],
  ['override', 'throws', overrideGroups],
  ['close', 'rejects', closeGroups],
  ['ctx', 'rejects', contextGroups],
  ['a state reads and writes', 'rejects', stateGroups.filter(({ call }) => !watches.test(call))],
  ['a state is watched', 'throws', stateGroups.filter(({ call }) => watches.test(call))],
  ['memory', 'throws', memoryGroups],
];

describe.each(sections)('%s', (_section, how, groups) => {
  test.each(rowsOf(groups))('%s', async (_title, { act, code, says }, wrong) => {
    const fixture = await Fixture.create();
    const before = await fixture.look();
    const [actual, error] = await failureOf(() => act(fixture, wrong));
    expect([actual, isQTasksError(error) ? error.code : error]).toEqual([how, code]);
    expect((error as Error).message).toMatch(says);
    expect(await fixture.look()).toEqual(before);
    fixture.app.task('t', () => 'the name is still free');
  });
});

describe('nothing is left behind', () => {
  test('by needs whose getter throws: its own error passes through', () => {
    const app = new QTasks();
    const own = new Error('not yet');
    const needs = {
      value,
      get late(): typeof value {
        throw own;
      },
    };
    expect(() => app.task('t', needs, () => 1)).toThrow(own);
    expect(() => app.task('t', { outer: Depends(needs, () => 1) }, () => 1)).toThrow(own);
    app.task('t', () => 1);
  });

  test('by a task whose other need is wrong: the id of its state is free', () => {
    const { app } = new Fixture();
    const State = withStatics({ id: 'twin' }) as never;
    expect(() => app.task('t', { State, need: 1 as never }, () => 1)).toThrow();
    expect(() =>
      app.override(
        value,
        Depends({ State, need: 1 as never }, () => ''),
      ),
    ).toThrow();
    app.state(withStatics({ id: 'twin' }) as never);
  });

  test('by an app that could not be made: its storage scope closes with the last real app', async () => {
    const storage = memory();
    const closed: string[] = [];
    const pool = Depends(
      function* () {
        yield 'pool';
        closed.push('pool');
      },
      { scope: 'storage' },
    );
    const twins = { one: task('twin', () => 1), two: task('twin', () => 2) };
    expect(() => new QTasks({ storage, tasks: twins })).toThrow();
    const app = new QTasks({ storage });
    await app.task('t', { pool }, ({ pool }) => pool)();
    await app.close();
    expect(closed).toEqual(['pool']);
  });

  test('by a call of run whose target throws when it is looked at', async () => {
    const fixture = new Fixture();
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    const { status } = await fixture.app.run(proxy as AnyTask).settled;
    expect(status).toBe('error');
    const child = await fixture.within((ctx) => ctx.run(proxy as AnyTask).settled);
    expect(child).toMatchObject({ status: 'error', attempts: 0 });
  });

  test('by an option whose getter throws, or a schema that does: its own error passes through', () => {
    const { app } = new Fixture();
    const own = new Error('not yet');
    const throws = {
      get input(): never {
        throw own;
      },
    };
    const fails = {
      get '~standard'(): never {
        throw own;
      },
    };
    expect(() => app.task('t', () => 1, throws)).toThrow(own);
    expect(() => app.task('t', () => 1, { output: fails })).toThrow(own);
    expect(() =>
      app.with({
        ...({} as object),
        get id(): never {
          throw own;
        },
      }),
    ).toThrow(own);
    app.task('t', () => 1);
  });

  test('by a task without locks that is exclusive: no run of it goes on', async () => {
    const app = new QTasks({ storage: lockless() });
    const alone = app.task('alone', () => 1, { exclusive: true, retry: 3 });
    expect(await alone().settled).toMatchObject({ status: 'error', attempts: 0 });
    expect(app.inspect().runs).toEqual([]);
  });
});

/** Names that an object has anyway, that look like a path or an escape, or that are no clean text. */
const hostile = [
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', 'then'],
  ...['0', '-1', ' ', 'a b', 'a/b', '..', '%3A', '\\', '"', '\0', '\0v', '~1', '😀', '\ud800'],
];

describe.each(hostile.map((name) => ({ name })))('the name $name works', ({ name }) => {
  test('for a task and in needs', async () => {
    const needs = Object.fromEntries([[name, value]]);
    const read = task(name, needs, (injected, argument: number) => [
      Object.entries(injected),
      argument,
    ]);
    const app = new QTasks({ tasks: Object.fromEntries([[name, read]]) });
    const heard: unknown[] = [];
    app.on('run:success', (event) => heard.push(event.task));
    expect(await app.run(name, 1)).toEqual([[[name, 'real']], 1]);
    expect(await app.run(read, 2)).toEqual([[[name, 'real']], 2]);
    expect(heard).toEqual([name, name]);
    const error = await failureOf(() => app.task(name, () => 1));
    expect(error).toEqual(['throws', expect.objectContaining({ code: 'TASK_DUPLICATE' })]);
  });

  test('for the id of a run, what middleware sees and what inspect() shows', async () => {
    const needs = Object.fromEntries([[name, value]]);
    const tasks = { read: task(name, needs, (injected) => Object.keys(injected)) };
    const app = new QTasks({ name, tasks });
    const seen: unknown[] = [];
    app.use(async ({ id, task, session, args }, next) => {
      seen.push(id, task, session, args);
      return next();
    });
    const client = app.session(name).with({ id: name });
    const run = client.run(tasks.read);
    expect(client.run(tasks.read)).toBe(run);
    expect(await run).toEqual([name]);
    expect(client.run(tasks.read)).toBe(run);
    expect(app.with({ id: name }).run(tasks.read)).not.toBe(run);
    expect(seen.slice(0, 4)).toEqual([name, name, name, []]);
    const [inspected] = app.inspect().tasks;
    expect([inspected?.name, Object.keys(inspected?.needs ?? {})]).toEqual([name, [name]]);
    expect(inspected?.dependencies[0]?.name).toBe(name);
    await app.close();
  });

  test.each([name, `${name}:`, `:${name}`])(
    'for an app, a session, a state, a field: %j',
    async (id) => {
      const storage = memory();
      const State = withStatics({ id }) as typeof Known;
      const app = new QTasks({ name: id, storage });
      const ofAnn = app.session('ann').state(State);
      const state = app.session(id).state(State) as AsyncState<Record<string, unknown>>;
      await state.set(id, 1);
      await state.update((now) =>
        Object.fromEntries([[id, Number(Object.entries(now)[0]?.[1]) + 1]]),
      );
      expect(await state.get(id)).toBe(2);
      expect(Object.entries(await state.getAll())).toEqual([[id, 2]]);
      expect(await ofAnn.getAll()).toEqual({});
      expect(await app.state(State).getAll()).toEqual({});
      const ids = [];
      for await (const bucket of storage.list({ app: id })) ids.push(bucket);
      expect(ids).toEqual([{ app: id, session: id, state: id }]);
      await state.delete(id);
      expect(await state.get(id, 'none')).toBe('none');
      await app.session(id).close();
      await app.close();
    },
  );
});

const pass: Middleware = async (_run, next) => next();
const any = schema<[]>(() => ({ value: [] }));

test.each<[string, () => unknown]>([
  ['the longest and the shortest grace', () => task('t', () => 1, { grace: 0 })],
  ['a timeout that never comes', () => task('t', () => 1, { timeout: Infinity, grace: Infinity })],
  ['a timeout of less than a millisecond', () => task('t', () => 1, { timeout: Number.MIN_VALUE })],
  ['no retry and any number of them', () => task('t', () => 1, { retry: { limit: Infinity } })],
  ['a retry at once', () => task('t', () => 1, { retry: { limit: 0, delay: 0, factor: 1 } })],
  ['any priority', () => task('t', () => 1, { priority: -Infinity })],
  ['empty needs and options', () => task('t', {}, () => 1, {})],
  ['needs without a prototype', () => task('t', Object.create(null), () => 1)],
  ['options that are undefined', () => task('t', () => 1, { timeout: undefined } as object)],
  ['undefined in the place of the options', () => Depends(() => 1, undefined)],
  ['frozen options', () => Depends(() => 1, Object.freeze({ scope: 'worker', cache: false }))],
  ['one slot', () => new QTasks({ concurrency: 1, grace: 0 })],
  ['the defaults written out', () => new QTasks({ name: 'qtasks', concurrency: Infinity })],
  ['no tasks', () => new QTasks({ tasks: {} })],
  ['exports that are no tasks', () => new QTasks({ tasks: { a: null, b: 1, c: Plain, value } })],
  ['one task under two names', () => new QTasks({ tasks: { known: unregistered, unregistered } })],
  ['settings that change nothing', () => new QTasks().with({}).session('ann').with({})],
  ['a close that waits for ever', () => new QTasks().close({ drain: Infinity })],
  ['a close that waits for nobody', () => new QTasks().session('ann').close({ drain: 0 })],
  ['no middleware at all', () => new QTasks({ middleware: [] }).use([])],
  ['one middleware in two places', () => new QTasks({ middleware: pass }).use([pass, pass])],
  ['nothing remembered, or all of it', () => new QTasks({ remember: { limit: 0, ttl: Infinity } })],
  ['any number of runs remembered', () => new QTasks({ remember: { limit: Infinity } })],
  ['remember with its defaults', () => new QTasks({ remember: {} })],
  ['an id and nothing to transfer', () => new QTasks().with({ id: 'one', transfer: [] })],
  ['settings that are undefined', () => new QTasks().with({ id: undefined } as object)],
  ['a task that is not exclusive', () => task('t', () => 1, { exclusive: false })],
  ['schemas that are functions', () => task('t', () => 1, { input: Object.assign(() => 1, any) })],
  ['inspect of something', () => Reflect.apply(new QTasks().inspect, new QTasks(), ['known'])],
  ['a memory with bounds', () => memory({ maxSessions: 1, ttl: 1, onEvict: () => {} })],
])('%s: accepted', async (_title, act) => {
  await act();
});

test('whatever a run is cancelled with is its error', async () => {
  const app = new QTasks();
  const wait = app.task('wait', () => new Promise(() => {}), { grace: 0 });
  for (const reason of [null, 0, '', false, Number.NaN, {}, () => 1]) {
    const run = wait();
    run.cancel(reason);
    expect(await run.settled).toMatchObject({ status: 'cancel', error: reason });
    const within = app.task(`cancel ${show(reason)}`, { ctx: Context }, ({ ctx }) =>
      ctx.cancel(reason),
    );
    expect(await within().settled).toMatchObject({ status: 'cancel', error: reason });
  }
  const run = wait();
  run.cancel(undefined);
  expect(await run.settled).toMatchObject({ error: { code: 'TASK_CANCELLED' } });
});
