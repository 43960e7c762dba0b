/** The connection to Redis that all requests share: what is sent together goes out in one write. */
import { Redis } from 'ioredis';
import { QTasksError } from '../../src/errors.js';
import type { Logger } from '../../src/logger.js';
import { check, hasMethods } from '../../src/options.js';
import type { Milliseconds } from '../../src/types.js';
import type { Command } from './command.js';
import { Refusal, unavailable } from './refusal.js';
import type { Outcome, Reply } from './reply.js';

/** What Redis answered to one command. */
type Answer = { readonly reply: Reply } | { readonly error: Error };

const redisKind = [
  'a URL like "redis://127.0.0.1:6379", or a Redis of ioredis',
  (value: unknown) =>
    typeof value === 'string'
      ? /^rediss?:\/\/./.test(value)
      : hasMethods('duplicate', 'callBuffer')(value) && !Object(value).isCluster,
] as const;

/** Sends commands, and tells refusals from what clients are told. */
export class RedisLink {
  readonly #commands: Redis;
  readonly #logger: Logger;
  #connections = 0;

  /** @throws OPTION_INVALID */
  constructor(redis: string | Redis, commandTimeout: Milliseconds, logger: Logger) {
    check('redisProxy: option "redis"', redis, redisKind);
    const options = {
      commandTimeout,
      connectTimeout: commandTimeout,
      // Texts of RESP2 and integers that are not rounded, whichever version of ioredis it is.
      protocol: 2,
      stringNumbers: true,
      // A command may have been done before the connection was lost: whoever sent it decides.
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 1,
      // Who listened to a lost connection has to hear of that, not to listen on.
      autoResubscribe: false,
      enableAutoPipelining: false,
      enableOfflineQueue: true,
      retryStrategy: (times: number) => Math.min(50 * 2 ** times, 2000),
      lazyConnect: true,
    };
    this.#commands = connect(redis, options);
    heed(this.#commands, logger);
    this.#logger = logger;
    this.#commands.on('close', () => this.#connections++);
  }

  /** Another number after each connection: Redis may have been another one since, which knows no scripts. */
  get connection(): number {
    return this.#connections;
  }

  /** Sends commands in order; others may come between. */
  async run(commands: readonly Command[], before: readonly Command[] = []): Promise<Outcome[]> {
    const answers = await this.#send([...before, ...commands]);
    return answers.slice(before.length).map(outcomeOf);
  }

  /**
   * Sends commands as one transaction, after others that are no part of it. What fails in it does not
   * stop the rest; rejects with a refusal where Redis would not begin.
   */
  async transact(
    commands: readonly Command[],
    before: readonly Command[] = [],
  ): Promise<Outcome[]> {
    const all = [...before, multi, ...commands, exec];
    const answers = (await this.#send(all)).slice(before.length);
    const end = answers.at(-1);
    if (end && 'reply' in end && Array.isArray(end.reply)) {
      const replies: readonly Reply[] = end.reply;
      return replies.map((reply) =>
        outcomeOf(reply instanceof Error ? { error: reply } : { reply }),
      );
    }
    const fault = answers.find((answer) => 'error' in answer);
    throw new Refusal(400, fault && 'error' in fault ? messageOf(fault.error) : 'EXECABORT');
  }

  /** Whether Redis answers. */
  async isUp(): Promise<boolean> {
    const [answer] = await this.#send([{ name: 'PING', args: [] }]).catch(() => []);
    return answer !== undefined && 'reply' in answer;
  }

  /** A connection of the same settings that listens, and does nothing else. */
  listen(): Redis {
    // ioredis sends SUBSCRIBE as soon as there is a connection, and its check could then not run.
    return heed(this.#commands.duplicate({ enableReadyCheck: false }), this.#logger);
  }

  close(): void {
    this.#commands.disconnect();
  }

  async #send(commands: readonly Command[]): Promise<Answer[]> {
    const pipeline = this.#commands.pipeline();
    for (const { name, args } of commands) pipeline.callBuffer(name, [...args]);
    const results = (await pipeline.exec()) ?? [];
    return results.map(([error, reply]) => {
      // Anything else is trouble with the connection, and then nobody knows what has been done.
      if (error && error.name !== 'ReplyError') throw unavailable();
      return error ? { error } : { reply: toReply(reply) };
    });
  }
}

const multi: Command = { name: 'MULTI', args: [] };
const exec: Command = { name: 'EXEC', args: [] };

function connect(redis: string | Redis, options: object): Redis {
  if (typeof redis === 'string') return new Redis(redis, options);
  if (redis.options.keyPrefix) {
    // It would be put before some keys, and not before those that scripts make.
    const message = 'redisProxy: option "redis" must be a Redis without a keyPrefix';
    throw new QTasksError('OPTION_INVALID', message);
  }
  return redis.duplicate(options);
}

/** Tells of a lost connection once, not of each attempt to get it back. */
function heed(redis: Redis, logger: Logger): Redis {
  let isTold = false;
  redis.on('ready', () => {
    isTold = false;
  });
  redis.on('error', (error) => {
    if (!isTold) logger.warn(`redisProxy: no connection to Redis: ${codeOf(error)}`);
    isTold = true;
  });
  return redis;
}

/** Of an error of the system its code: the message of another one could quote a setting. */
const codeOf = (error: Error) => ('code' in error ? String(error.code) : error.name);

/** What ioredis gives for RESP2 when it is asked for bytes and for integers as texts. */
function toReply(value: unknown): Reply {
  if (Array.isArray(value)) return value.map(toReply);
  if (Buffer.isBuffer(value) || typeof value === 'string' || typeof value === 'number') {
    return value;
  }
  return value instanceof Error ? value : null;
}

const outcomeOf = (answer: Answer): Outcome =>
  'error' in answer ? { error: messageOf(answer.error) } : { result: answer.reply };

/** What Redis says, but for the arguments that it quotes. */
function messageOf({ message }: Error): string {
  return /^ERR unknown (sub)?command\b/i.exec(message)?.[0] ?? message;
}
