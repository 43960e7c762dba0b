/** Commands as requests write them, in JSON or as a path, made into one form. */
import type { Limits } from './limits.js';
import { malformed, tooLarge } from './refusal.js';

/** An argument: text, or the bytes of a body. */
export type Argument = string | Buffer;

/** One command. Its name is in upper case: ioredis changes the replies of those it knows in lower case. */
export interface Command {
  readonly name: string;
  readonly args: readonly Argument[];
}

/** The command of a JSON array. */
export function parseCommand(value: unknown): Command {
  if (!Array.isArray(value)) throw malformed('expected a JSON array of a command');
  const [name, ...args] = value.map(toArgument);
  return command(name, args);
}

/** The commands of a JSON array of arrays. */
export function parseCommands(value: unknown, limits: Limits): Command[] {
  if (!Array.isArray(value)) throw malformed('expected a JSON array of commands');
  if (value.length > limits.commands) throw tooLarge();
  if (value.length === 0) throw malformed('empty pipeline request');
  return value.map(parseCommand);
}

/** The command of `/NAME/a/b?X=1`: the parts of the path, then the body, then what the query has. */
export function parsePath(url: URL, body: Uint8Array): Command {
  const [name, ...args]: Argument[] = partsOf(url);
  if (body.length > 0) args.push(Buffer.from(body));
  for (const [option, value] of url.searchParams) {
    if (option === '_token') continue;
    args.push(option);
    if (value !== '') args.push(value);
  }
  return command(name, args);
}

/** Throws a refusal of what has more arguments, or longer ones, than the limits allow. */
export function checkSize({ args }: Command, limits: Limits): void {
  const isTooLarge =
    args.length >= limits.arguments ||
    args.some((arg) => Buffer.byteLength(arg) > limits.valueBytes);
  if (isTooLarge) throw tooLarge();
}

/** The parts of a path, decoded. */
export function partsOf(url: URL): string[] {
  try {
    return url.pathname.slice(1).split('/').map(decodeURIComponent);
  } catch {
    throw malformed('the path is not percent-encoded UTF-8');
  }
}

function toArgument(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw malformed('arguments are strings, numbers or booleans');
}

function command(name: Argument | undefined, args: Argument[]): Command {
  // Of ASCII, as others have upper cases too: "ſet" is no SET.
  if (typeof name !== 'string' || !/^[a-z][a-z0-9._]*$/i.test(name)) {
    throw malformed('unknown command');
  }
  return { name: name.toUpperCase(), args };
}
