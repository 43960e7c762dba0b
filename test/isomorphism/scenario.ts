/**
 * What a caller does with the tasks, and what comes of it, as a transcript. It has a `TaskClient` and
 * nothing else: it does not know where the tasks run, and the transcript must not tell.
 */
import { isQTasksError, type TaskClient } from 'qtasks-lite';
import { Journal, Registration, WrongCode } from './tasks.js';

type Club = TaskClient<typeof import('./tasks.js')>;
type Lines = AsyncGenerator<string, void, undefined>;

/** What a caller does with the tasks. */
export const scenario = (club: Club): Promise<string[]> => transcribe(club, chapters);

/** The part of it that a service worker does, too. */
export const stateScenario = (club: Club): Promise<string[]> => transcribe(club, { states });

async function* steps(club: Club): Lines {
  const ann = club.session('ann');
  yield await ann.run('start');
  yield await ann.run('givePhone', ' +351900 ');
  yield await ann.run('giveCode', '1234');
  yield* journal(ann);

  // All of them in one task; and without a session.
  yield* await ann.run('join', '+351911', '1234');
  yield await club.run('start');
}

async function* states(club: Club): Lines {
  const ann = club.session('ann');
  const registration = ann.state(Registration);
  yield show(await registration.getAll());

  // The task writes, the caller reads; then the other way round.
  await ann.run('start');
  yield show(await registration.getAll());
  await registration.set('seats', new Map([[1, 'Zoe']]));
  yield `Ann has seat ${await ann.run('takeSeat', 'Ann')}`;
  yield show(await registration.get('seats'));

  // Both write at once, and nothing is lost.
  const tries = Array.from({ length: 10 }, async () => {
    await registration.update(({ tries = 0 }) => ({ tries: tries + 1 }));
    await ann.run('giveCode', '1234');
  });
  await Promise.all(tries);
  yield show(await registration.getAll());

  // What the task writes is seen as it happens.
  const notice = new Promise<string>((resolve) => {
    const stop = registration.subscribe(({ changed }) => {
      stop();
      resolve(`changed: ${changed}`);
    });
  });
  await ann.run('start');
  yield await notice;
  const end = new AbortController();
  const changes = registration.changes({ signal: end.signal });
  await ann.run('giveCode', '1234');
  yield `watched: ${show((await changes.next()).value)}`;
  end.abort();
  yield show(await changes.next());

  await registration.delete('since');
  yield `since: ${await registration.get('since')}`;
  await registration.clear();
  yield show(await registration.getAll());
}

async function* sessions(club: Club): Lines {
  const [ann, bob] = [club.session('ann'), club.session('bob')];
  await ann.run('join', '+1', '1234');
  await bob.run('start');
  for (const client of [ann, bob, club]) {
    const { step, phone = 'none' } = await client.state(Registration).getAll();
    yield `step ${step}, phone ${phone}`;
  }

  // What is kept with a session is closed with it, and its state stays.
  await ann.state(Journal).clear();
  yield await ann.run('ask');
  yield await ann.run('ask');
  await ann.close();
  yield `after the close: step ${await ann.state(Registration).get('step')}`;
  yield* journal(ann);
  yield await ann.run('ask');
  yield* journal(ann);
}

async function* streams(club: Club): Lines {
  const ann = club.session('ann');
  const run = ann.run('rules', 3);
  for await (const page of run) yield page;
  yield `${await run}, ${run.status}`;

  // Who stops reading cancels the run.
  const endless = ann.run('rules', Number.POSITIVE_INFINITY);
  for await (const page of endless) {
    if (page === 'page 20') break;
  }
  yield (await endless.settled).status;
  yield* journal(ann);
}

async function* failures(club: Club): Lines {
  const ann = club.session('ann');
  // An error is of its own class, with its fields and its cause.
  const wrong = await errorOf(ann.run('giveCode', '0000'));
  yield tell(wrong);
  if (wrong instanceof WrongCode) yield `left: ${wrong.left}, because of ${tell(wrong.cause)}`;
  yield* journal(ann);

  // What the schema refuses does not even open what the task needs.
  const invalid = await errorOf(ann.run('givePhone', 'mine'));
  yield tell(invalid);
  if (isQTasksError(invalid, 'INPUT_INVALID')) yield show(invalid.data.issues);
  yield* journal(ann);

  // @ts-expect-error there is no such task
  yield tell(await errorOf(ann.run('leave')));
}

async function* retries(club: Club): Lines {
  const ann = club.session('ann');
  const run = ann.run('callBack');
  yield await run;
  yield show(await run.settled);
  yield* journal(ann);
}

async function* cancels(club: Club): Lines {
  const ann = club.session('ann');
  // By a signal, as soon as the task says that it waits.
  const controller = new AbortController();
  const reason = new Error('no time');
  const run = ann.with({ signal: controller.signal }).run('waitForCall');
  const error = await errorOf(reading(run, () => controller.abort(reason)));
  yield `${run.status}: ${tell(error)}${error === reason ? ', the very same' : ''}`;
  yield* journal(ann);

  // By hand.
  const other = ann.run('waitForCall');
  yield `${tell(await errorOf(reading(other, () => other.cancel())))}, ${other.status}`;
  yield* journal(ann);

  // By a timeout, which is a failure.
  const late = ann.with({ timeout: 50 }).run('waitForCall');
  yield `${tell(await errorOf(late))}, ${late.status}`;
}

async function* exclusive(club: Club): Lines {
  const ann = club.session('ann');
  const names = ['Ann', 'Bob', 'Cid', 'Dan'];
  yield show(await Promise.all(names.map((name) => ann.run('takeSeat', name))));
  yield show(await ann.state(Registration).get('seats'));
}

async function* ids(club: Club): Lines {
  const once = club.session('ann').with({ id: 'Ann pays once' });
  const [first, second] = [once.run('takeSeat', 'Ann'), once.run('takeSeat', 'Ann')];
  yield `${first === second}, seat ${await second}`;
  yield `later: seat ${await once.run('takeSeat', 'Ann')}`;
}

async function* closing(club: Club): Lines {
  const run = club.session('ann').run('start');
  await club.close();
  yield `${await run}, ${run.status}`;
  const { code } = (await errorOf(club.run('start'))) as { code: string };
  yield `after the close: ${code}`;
}

const chapters = {
  steps,
  states,
  sessions,
  streams,
  failures,
  retries,
  cancels,
  exclusive,
  ids,
  closing,
};

// How it is told

async function transcribe(
  club: Club,
  chapters: Record<string, (club: Club) => Lines>,
): Promise<string[]> {
  const transcript: string[] = [];
  for (const [title, chapter] of Object.entries(chapters)) {
    await forget(club);
    transcript.push(`-- ${title}`);
    for await (const line of chapter(club)) transcript.push(line);
  }
  return transcript;
}

/** What dependencies have noted in the meantime. */
async function* journal(client: Club): Lines {
  const journal = client.state(Journal);
  for (const line of await journal.get('lines', [])) yield `  ${line}`;
  await journal.clear();
}

/** Others may have been here before, in a storage that lasts. */
async function forget(club: Club): Promise<void> {
  for (const client of [club, club.session('ann'), club.session('bob')]) {
    await client.state(Registration).clear();
    await client.state(Journal).clear();
  }
}

async function reading(values: AsyncIterable<unknown>, act: () => void): Promise<void> {
  for await (const _ of values) act();
}

function errorOf(outcome: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(outcome).then(
    () => 'no error',
    (error) => error,
  );
}

function tell(error: unknown): string {
  const { name, code = 'no code', message } = error as Error & { code?: string };
  return `${name} (${code}): ${message}`;
}

/** In whatever order a storage gives the fields. */
function show(value: unknown): string {
  return JSON.stringify(value, (_, item) => {
    if (item instanceof Map) return [...item];
    return isRecord(item) ? Object.fromEntries(Object.entries(item).sort()) : item;
  });
}

const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
