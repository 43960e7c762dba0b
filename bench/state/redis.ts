/** `npm run bench -- redis`: a state in Redis, over HTTP and by a connection, against other clients. */
import { Redis as Upstash } from '@upstash/redis';
import { Redis as IoRedis } from 'ioredis';
import { AsyncState, QTasks, type StorageAdapter } from 'qtasks-lite';
import { redis } from 'qtasks-lite/redis';
import { ProxyProcess } from '../../test/support/proxy-process.js';
import { RedisServer } from '../../test/support/redis.js';
import { type Case, type Contestant, measure } from '../harness/measure.js';

type Fields = Record<string, number>;

class Bench extends AsyncState<Fields> {
  static readonly id = 'bench';
}

/** What each contestant can do with the fields of one hash. */
interface Store {
  set(field: string, value: number): Promise<unknown>;
  get(field: string): Promise<unknown>;
  getAll(): Promise<Fields>;
}

interface Maker {
  readonly name: string;
  readonly isOurs?: boolean;
  readonly without?: string;
  /** Makes a store with a hash of its own. */
  create(): Store;
}

const token = 'the-admin-token-of-the-benchmark';
const atOnce = 100;
const names = Array.from({ length: atOnce }, (_, index) => `field${index}`);
let hashes = 0;

function wrapIoRedis(client: IoRedis): Store {
  const hash = `hash${++hashes}`;
  return {
    set: (field, value) => client.hset(hash, field, value),
    get: async (field) => Number(await client.hget(hash, field)),
    async getAll() {
      const found = Object.entries(await client.hgetall(hash));
      return Object.fromEntries(found.map(([field, value]) => [field, Number(value)]));
    },
  };
}

function wrapUpstash(client: Upstash): Store {
  const hash = `hash${++hashes}`;
  return {
    set: (field, value) => client.hset(hash, { [field]: value }),
    get: (field) => client.hget(hash, field),
    getAll: async () => (await client.hgetall<Fields>(hash)) ?? {},
  };
}

function wrapState(storage: StorageAdapter): Store {
  const app = new QTasks({ name: `bench${++hashes}`, storage });
  const state = app.state(Bench);
  return {
    set: (field, value) => state.set(field, value),
    get: (field) => state.get(field),
    getAll: async () => (await state.getAll()) as Fields,
  };
}

/** What a state stands on: no copies, no other writers' turns, and each call is a commit. */
function wrapAdapter(storage: StorageAdapter): Store {
  const id = { app: `bare${++hashes}`, session: '', state: 'bench' };
  let sequence = 0;
  return {
    set: (field, value) =>
      storage.commit(id, {
        writer: 'bench',
        sequence: ++sequence,
        set: new Map([[field, String(value)]]),
      }),
    async get(field) {
      const { fields } = await storage.read(id, { fields: [field] });
      return Number(fields.get(field));
    },
    async getAll() {
      const { fields } = await storage.read(id);
      return Object.fromEntries([...fields].map(([field, value]) => [field, Number(value)]));
    },
  };
}

const setAll = (store: Store, value: number): Promise<unknown> =>
  Promise.all(names.map((name) => store.set(name, value)));

const sum = (fields: Fields): number => Object.values(fields).reduce((a, b) => a + b, 0);

const differs = (found: unknown, expected: unknown): string | undefined =>
  found === expected ? undefined : `found ${String(found)} instead of ${String(expected)}`;

function setting(store: Store): Case {
  let value = 0;
  return {
    waits: true,
    call: () => setAll(store, ++value),
    check: async () => differs(sum(await store.getAll()), atOnce * value),
  };
}

/** One case for each column of the second table. */
async function operations({ create }: Maker): Promise<Case[]> {
  const [writing, reading] = [create(), create()];
  await setAll(reading, 7);
  let value = 0;
  return [
    {
      waits: true,
      call: () => writing.set('field', ++value),
      check: async () => differs(await writing.get('field'), value),
    },
    { waits: true, call: () => reading.get('field3'), check: (_, last) => differs(last, 7) },
    {
      waits: true,
      call: () => reading.getAll(),
      check: (_, last) => differs(sum(last as Fields), 7 * atOnce),
    },
  ];
}

// Where the proxy's command is found; what is imported was looked up in bench/.
process.chdir('..');
const server = await RedisServer.start();
const closing: (() => unknown)[] = [];
try {
  const env = { QTASKS_LITE_ADMIN_TOKEN: token };
  const proxy = await ProxyProcess.start(server.url, { env });
  closing.push(() => proxy.kill());
  await run(proxy.url.href);
} finally {
  for (const close of closing.reverse()) await close();
  await server.stop();
}

async function run(url: string): Promise<void> {
  const client = server.ioredis();
  const pipelining = new IoRedis(server.url, { enableAutoPipelining: true });
  closing.push(() => pipelining.disconnect());
  const upstash = (enableAutoPipelining: boolean): Upstash =>
    new Upstash({ url, token, enableAutoPipelining, enableTelemetry: false });
  const [each, together] = [upstash(false), upstash(true)];
  const [http, tcp] = [redis({ url, token }), redis({ client })];
  closing.push(
    () => http.close?.(),
    () => tcp.close?.(),
  );

  const ioredis: Maker = { name: 'ioredis', create: () => wrapIoRedis(client) };
  const upstashTogether: Maker = {
    name: '@upstash/redis',
    create: () => wrapUpstash(together),
  };
  const ours: Maker[] = [
    { name: 'qtasks-lite over HTTP', create: () => wrapState(http) },
    { name: 'qtasks-lite by ioredis', create: () => wrapState(tcp) },
  ];
  const bare: Maker[] = [
    {
      name: 'its adapter over HTTP',
      isOurs: true,
      without: 'copy',
      create: () => wrapAdapter(http),
    },
    {
      name: 'its adapter by ioredis',
      isOurs: true,
      without: 'copy',
      create: () => wrapAdapter(tcp),
    },
  ];

  const bursts: Maker[] = [
    ioredis,
    { name: 'ioredis, pipelined', create: () => wrapIoRedis(pipelining) },
    upstashTogether,
    { name: '@upstash/redis, one by one', create: () => wrapUpstash(each) },
    ...ours,
  ];
  const unaware = 'revisions, watch';
  await measure({
    title: `State in Redis, ${atOnce} sets at once`,
    columns: ['100 fields'],
    contestants: bursts.map(({ name, create }): Contestant => {
      const without = name.startsWith('qtasks') ? '' : unaware;
      return { name, without, cases: [setting(create())] };
    }),
    calls: 20,
    goals: [
      { column: '100 fields', of: 'qtasks-lite over HTTP', than: 'ioredis', atMost: 0.57 },
      { column: '100 fields', of: 'qtasks-lite over HTTP', than: '@upstash/redis', atMost: 0.75 },
      { column: '100 fields', of: 'qtasks-lite by ioredis', than: 'ioredis', atMost: 1.5 },
    ],
  });

  const singles = [ioredis, upstashTogether, ...ours, ...bare];
  const column = 'set';
  await measure({
    title: 'State in Redis, one operation after the other',
    columns: [column, 'get', 'all of 100 fields'],
    contestants: await Promise.all(
      singles.map(async (maker): Promise<Contestant> => {
        const { name, without = name.startsWith('qtasks') ? '' : unaware } = maker;
        return { name, without, cases: await operations(maker) };
      }),
    ),
    calls: 100,
    goals: [
      { column, of: 'qtasks-lite over HTTP', than: '@upstash/redis', atMost: 1.5 },
      { column, of: 'qtasks-lite by ioredis', than: 'ioredis', atMost: 1.5 },
    ],
  });
}
