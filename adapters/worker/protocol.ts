/**
 * What passes between a page and its workers. Every message is an array: a tag with the number of this
 * protocol, the connection that it is of, and then frames, each a kind and its fields, one after the other:
 * that is the cheapest thing to clone. So others can use the same worker, and so can another version.
 */
import type { Milliseconds } from '../../src/types.js';
import type { Packed } from './errors.js';

/** Begins every message; it changes with whatever an older version would not understand. */
export const TAG = 'qtasks-lite/1';

/** The connection of messages that are of none. */
export const NOBODY = '';

// From a page to a worker

/** Asks for a connection. Fields: the name of the app or `undefined`, the prefix of run ids, a lock of {@link holdAlive}. */
export const HELLO = 0;
/** Starts a run. Fields: number, name of the task, session, {@link CallSettings} or `undefined`, arguments. */
export const CALL = 1;
/** Cancels a run. Fields: its number, the reason as {@link Packed}. */
export const ABORT = 2;
/** Somebody reads what a run streams. Fields: its number, how many more values may come. */
export const READ = 3;
/** Wants an answer. Fields: any number. */
export const PING = 4;
/** Events are wanted, or no more. Fields: the name of the event, `true` or `false`. */
export const LISTEN = 5;
/** Fields: a number, a {@link Closing}. */
export const CLOSE = 6;
/** Wants the app's storage. Fields: the port on which it is to be offered. */
export const STORE = 7;

// From a worker to a page

/** Whoever wants to connect may do so now; of no connection. */
export const SERVING = 8;
/** Fields: {@link Ready}. */
export const READY = 9;
/** Fields: the run's number, its status, how many attempts have started. */
export const STATUS = 10;
/** Fields: the run's number, a value that it streams. */
export const YIELD = 11;
/** Goes before DONE or END where the result had to travel by itself. Fields: the run's number, its result. */
export const VALUE = 12;
/** A run has succeeded at its first attempt. Fields: its number, its result. */
export const DONE = 13;
/** A run has ended in another way. Fields: its number, {@link Ended}. */
export const END = 14;
/** Fields: the number of the PING. */
export const PONG = 15;
/** Fields: an event of the app, which of its fields holds {@link Packed}, if one does. */
export const EVENT = 16;
/** Fields: the number of the CLOSE, what it has failed with as {@link Packed}, or `undefined`. */
export const CLOSED = 17;
/** The app is served no more. Fields: why. */
export const BYE = 18;

// Storage

/** A worker wants its page's storage; of no connection. */
export const WANT_STORAGE = 19;
/** Fields: the port on which the storage is offered, a lock of {@link holdAlive}. */
export const STORAGE = 20;
/** There is none. */
export const NO_STORAGE = 21;

/** How many fields follow each kind. */
const lengths: Readonly<Record<number, number>> = {
  [HELLO]: 3,
  [CALL]: 5,
  [ABORT]: 2,
  [READ]: 2,
  [PING]: 1,
  [LISTEN]: 2,
  [CLOSE]: 2,
  [STORE]: 1,
  [SERVING]: 0,
  [READY]: 1,
  [STATUS]: 3,
  [YIELD]: 2,
  [VALUE]: 2,
  [DONE]: 2,
  [END]: 2,
  [PONG]: 1,
  [EVENT]: 2,
  [CLOSED]: 2,
  [BYE]: 1,
  [WANT_STORAGE]: 0,
  [STORAGE]: 2,
  [NO_STORAGE]: 0,
};

/** What a run is started with, as far as it differs from its task. */
export interface CallSettings {
  readonly timeout?: Milliseconds;
  readonly priority?: number;
  readonly id?: string;
  /** Set where an earlier worker has died of it, or with it. */
  readonly lost?: Lost;
}

/** An attempt that was lost with its worker. */
export interface Lost {
  /** How many attempts were started by then. */
  readonly attempts: number;
  readonly error: Packed;
}

/** What a page has to know of an app that is served. */
export interface Ready {
  /** The app's name. */
  readonly app: string;
  /** A lock that the worker holds as long as it lives. */
  readonly lock: string | undefined;
  readonly hasStorage: boolean;
  readonly tasks: readonly TaskFacts[];
}

/** What a page has to know of a task. */
export interface TaskFacts {
  readonly name: string;
  readonly timeout: Milliseconds | null;
  /** Whether its runs of a session have to go to one worker: they exclude each other, or share what only it has. */
  readonly isPinned: boolean;
  readonly retries: boolean;
}

/** How a run has ended. */
export interface Ended {
  readonly status: 'success' | 'error' | 'cancel';
  readonly value?: unknown;
  readonly error?: Packed;
  readonly attempts: number;
  readonly cleanupErrors: readonly Packed[];
}

/** What a page closes: a worker that is its own with all that it has, its runs only, or a session. */
export interface Closing {
  readonly what: 'app' | 'connection' | 'session';
  readonly session: string;
  readonly drain: Milliseconds;
}

/** Takes one frame; fields that its kind has not are `undefined`. */
export type FrameHandler = (
  kind: number,
  a: unknown,
  b: unknown,
  c: unknown,
  d: unknown,
  e: unknown,
) => void;

/** Tells the messages of a connection from all others. */
export function isMessage(message: unknown, connection: string): message is unknown[] {
  return Array.isArray(message) && message[0] === TAG && message[1] === connection;
}

/** @throws RangeError for what is no list of frames */
export function readFrames(message: readonly unknown[], handle: FrameHandler): void {
  for (let at = 2; at < message.length; ) {
    const kind = message[at] as number;
    const length = lengths[kind];
    if (length === undefined) throw new RangeError('it is no message of qtasks-lite');
    handle(
      kind,
      message[at + 1],
      message[at + 2],
      message[at + 3],
      message[at + 4],
      message[at + 5],
    );
    at += 1 + length;
  }
}
