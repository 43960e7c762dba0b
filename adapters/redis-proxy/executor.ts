/** Runs the commands of a caller: only those that it may, and no more than its share. */
import type { Clock } from '../../src/clock.js';
import { isUnauthorized, tooMuchToAnswer } from '../redis/transport.js';
import type { Caller } from './access.js';
import { checkAdmin } from './admin-commands.js';
import { type Command, checkSize } from './command.js';
import type { Limits } from './limits.js';
import type { RedisLink } from './link.js';
import { Rate } from './rate.js';
import { Refusal, tooLarge } from './refusal.js';
import type { Outcome, Reply } from './reply.js';
import { checkSession, ownScripts } from './session-commands.js';

/** Who asks, and from where. */
export interface Asker {
  readonly caller: Caller;
  readonly address: string;
}

const loads: readonly Command[] = ownScripts.map(({ text }) => ({
  name: 'SCRIPT',
  args: ['LOAD', text],
}));

/** How many commands of a session are on their way at once: each may be answered with a whole bucket. */
const atOnce = 8;

/** Stands between requests and Redis. */
export class Executor {
  readonly #link: RedisLink;
  readonly #limits: Limits;
  /** The connection that has been given the scripts. */
  #loadedIn = -1;
  readonly #rates: Readonly<Record<Caller['kind'], Rate>>;

  constructor(link: RedisLink, limits: Limits, clock: Clock) {
    this.#link = link;
    this.#limits = limits;
    this.#rates = {
      session: new Rate(limits.commandsPerSecond, clock),
      admin: new Rate(limits.adminCommandsPerSecond, clock),
    };
  }

  /** Counts a caller's commands; throws a refusal where they are too many. */
  count({ caller, address }: Asker, commands: number): void {
    const wait = this.#rates[caller.kind].take(JSON.stringify([caller.name, address]), commands);
    if (wait > 0) throw new Refusal(429, 'ERR max requests limit exceeded', wait);
  }

  /** Runs commands in order; each that is refused is answered by itself and never sent. */
  async run(commands: readonly Command[], asker: Asker): Promise<Outcome[]> {
    this.count(asker, commands.length);
    const refusals = commands.map((command) => this.#refusalOf(command, asker.caller));
    const allowed = commands.filter((_command, place) => !refusals[place]);
    const outcomes = allowed.length > 0 ? await this.#send(allowed, asker.caller) : [];
    const left = outcomes.values();
    return refusals.map((refusal) => {
      if (refusal) return { error: refusal.message };
      return left.next().value ?? { error: 'ERR' };
    });
  }

  /** Runs one command; rejects with a refusal also where Redis refuses it. */
  async runOne(command: Command, asker: Asker): Promise<Outcome> {
    this.count(asker, 1);
    this.#check(command, asker.caller);
    const [outcome = { error: 'ERR' }] = await this.#send([command], asker.caller);
    if ('error' in outcome) throw new Refusal(400, outcome.error);
    return outcome;
  }

  /** Runs commands as one transaction; rejects with a refusal if one of them is not allowed. */
  async transact(commands: readonly Command[], asker: Asker): Promise<Outcome[]> {
    this.count(asker, commands.length);
    for (const command of commands) this.#check(command, asker.caller);
    if (asker.caller.kind === 'admin') return this.#link.transact(commands);
    if (commands.length > atOnce) throw tooLarge();
    const before = commands.some(isScript) ? loads : [];
    return (await this.#link.transact(commands, before)).map(vague);
  }

  async #send(commands: readonly Command[], { kind }: Caller): Promise<Outcome[]> {
    if (kind === 'admin') return this.#link.run(commands);
    const outcomes: Outcome[] = [];
    let size = 0;
    while (outcomes.length < commands.length && size <= this.#limits.answerBytes) {
      const some = commands.slice(outcomes.length, outcomes.length + atOnce);
      const answered = await this.#sendOwn(some);
      size += answered.reduce((sum, outcome) => sum + sizeOf(outcome), 0);
      outcomes.push(...answered);
    }
    const refused = commands.slice(outcomes.length).map(() => ({ error: tooMuchToAnswer }));
    return [...outcomes, ...refused];
  }

  /** Runs commands of a session, whose scripts Redis may not know yet. */
  async #sendOwn(commands: readonly Command[]): Promise<Outcome[]> {
    if (!commands.some(isScript)) return (await this.#link.run(commands)).map(vague);
    const { connection } = this.#link;
    const outcomes = await this.#link.run(commands, connection === this.#loadedIn ? [] : loads);
    this.#loadedIn = connection;
    return (await this.#repeat(commands, outcomes)).map(vague);
  }

  /**
   * Runs again what Redis knew no script for, as when somebody has emptied its scripts. In order, but after
   * what came between: that has run.
   */
  async #repeat(commands: readonly Command[], outcomes: Outcome[]): Promise<Outcome[]> {
    const isMissing = (_command: Command, place: number): boolean => {
      const outcome = outcomes[place];
      return outcome !== undefined && hasNoScript(outcome);
    };
    const missing = commands.filter(isMissing);
    if (missing.length === 0) return outcomes;
    const again = (await this.#link.run(missing, loads)).values();
    return outcomes.map((outcome) =>
      hasNoScript(outcome) ? (again.next().value ?? outcome) : outcome,
    );
  }

  #check(command: Command, caller: Caller): void {
    if (caller.kind === 'admin') checkAdmin(command);
    else checkSession(command, caller.claims);
    checkSize(command, this.#limits);
  }

  #refusalOf(command: Command, caller: Caller): Refusal | undefined {
    try {
      this.#check(command, caller);
      return undefined;
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  }
}

function sizeOf(outcome: Outcome): number {
  return 'error' in outcome ? 0 : bytesOf(outcome.result);
}

function bytesOf(reply: Reply): number {
  if (Buffer.isBuffer(reply)) return reply.byteLength;
  return Array.isArray(reply) ? reply.reduce((sum, each) => sum + bytesOf(each), 0) : 0;
}

const isScript = ({ name }: Command) => name === 'EVALSHA';

const hasNoScript = (outcome: Outcome) =>
  'error' in outcome && outcome.error.startsWith('NOSCRIPT');

/** What a session is told of an error of Redis: its kind. The rest could quote what is stored. */
function vague(outcome: Outcome): Outcome {
  if (!('error' in outcome)) return outcome;
  const { error } = outcome;
  return { error: `${kindOf(error)} the command failed` };
}

function kindOf(error: string): string {
  if (isUnauthorized(error)) return 'NOPERM';
  const kind = /^[A-Z]+\b/.exec(error)?.[0] ?? 'ERR';
  // Our scripts stop where a bucket is none, or holds what they have not written.
  return kind === 'ERR' && error.includes('user_script') ? 'CORRUPT' : kind;
}
