/** How one joins a club: a module of tasks as a user writes it. It knows no runtime, storage or worker. */
import { AsyncState, Context, Depends, task } from 'qtasks-lite';
import * as v from 'valibot';

/** What somebody who joins has told so far. */
export class Registration extends AsyncState<{
  step: 'nothing' | 'phone' | 'code' | 'done';
  phone: string;
  tries: number;
  since: Date;
  seats: Map<number, string>;
}> {
  static readonly id = 'registration';
  static readonly initial = { step: 'nothing', tries: 0 } as const;
}

/** What has happened, line by line: dependencies tell it, too. */
export class Journal extends AsyncState<{ lines: string[] }> {
  static readonly id = 'journal';
}

export class WrongCode extends Error {
  readonly code = 'WRONG_CODE';
  readonly left: number;

  constructor(left: number, cause: unknown) {
    super(`wrong code, ${left} tries are left`, { cause });
    this.name = 'WrongCode';
    this.left = left;
  }
}

/** Writes lines into the journal of a session. */
const note = Depends(
  { journal: Journal },
  ({ journal }) =>
    async (line: string) => {
      await journal.update(({ lines = [] }) => ({ lines: [...lines, line] }));
    },
  { scope: 'session' },
);

/** A desk that is kept as long as the session. */
const desk = Depends(
  { note },
  async function* ({ note }) {
    await note('desk opens');
    yield { number: 7 };
    await note('desk closes');
  },
  { scope: 'session' },
);

/** A telephone line. */
const line = Depends({ note }, async function* ({ note }) {
  await note('line opens');
  try {
    yield { dial: (phone: string) => `to ${phone}` };
  } finally {
    await note('line closes');
  }
});

/** Sends messages, by a telephone line. */
const sms = Depends({ line, note }, async function* ({ line, note }) {
  await note('sms opens');
  try {
    yield { send: (text: string, phone: string) => `"${text}" ${line.dial(phone)}` };
    await note('sms closes');
  } catch (error) {
    await note(`sms closes after "${(error as Error).message}"`);
    throw error;
  }
});

export const start = task(
  'start',
  { registration: Registration, ctx: Context },
  async ({ registration, ctx }) => {
    await registration.set('step', 'phone');
    return `${ctx.session || 'nobody'} starts: what is your phone number?`;
  },
);

export const givePhone = task(
  'givePhone',
  { registration: Registration, sms },
  async ({ registration, sms }, phone) => {
    await registration.update({ step: 'code', phone });
    return sms.send('Your code is 1234', phone);
  },
  { input: v.tuple([v.pipe(v.string(), v.trim(), v.regex(/^\+\d+$/, 'is no phone number'))]) },
);

export const giveCode = task(
  'giveCode',
  { registration: Registration, sms },
  async ({ registration }, code: string) => {
    const { tries = 0 } = await registration.update(({ tries = 0 }) => ({ tries: tries + 1 }));
    if (code !== '1234') throw new WrongCode(3 - tries, new RangeError(`it is not ${code}`));
    await registration.update({ step: 'done', since: new Date(0) });
    return 'welcome';
  },
);

/** All steps at once, each a run of its own inside this one. */
export const join = task('join', { ctx: Context }, async ({ ctx }, phone: string, code: string) => [
  await ctx.run(start),
  await ctx.run(givePhone, phone),
  await ctx.run(giveCode, code),
]);

export const ask = task('ask', { desk }, ({ desk }) => `answered at desk ${desk.number}`);

/** Would give one seat to two members if it ran twice at once. */
export const takeSeat = task(
  'takeSeat',
  { registration: Registration },
  async ({ registration }, name: string) => {
    const seats = await registration.get('seats', new Map());
    const seat = seats.size + 1;
    await registration.set('seats', seats.set(seat, name));
    return seat;
  },
  { exclusive: true },
);

/** The line is busy twice. */
export const callBack = task(
  'callBack',
  { sms, ctx: Context },
  ({ ctx }) => {
    if (ctx.attempt < 3) throw new Error(`busy at attempt ${ctx.attempt}`);
    return `reached at attempt ${ctx.attempt}`;
  },
  { retry: { limit: 2, delay: 0 } },
);

/** The rules of the club, page by page. */
export const rules = task('rules', { note }, async function* ({ note }, pages: number) {
  try {
    for (let page = 1; page <= pages; page++) yield `page ${page}`;
    return `${pages} pages`;
  } finally {
    await note('the rules are put away');
  }
});

/** Says that it waits, and waits for an hour. */
export const waitForCall = task('waitForCall', { sms, ctx: Context }, async function* ({ ctx }) {
  yield 'waiting';
  await ctx.sleep(3_600_000);
  return 'nobody has called';
});
