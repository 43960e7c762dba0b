/**
 * What a session token may run: the adapter's own scripts and a few commands, and those only on buckets
 * and locks of its session. Keys are checked and never changed; what has no keys is refused.
 *
 * Writing is for the scripts alone, so that revisions and notices of changes are right: a token that
 * could HSET would write what no other client is told of.
 */
import { fromKey, sessionPrefix } from '../redis/keys.js';
import { commit, lock, read, type Script } from '../redis/scripts.js';
import type { Argument, Command } from './command.js';
import { forbidden } from './refusal.js';
import type { Claims } from './token.js';

/** Which arguments of a command are keys, the first one or all: the others are names of fields. */
interface Rule {
  readonly keys: 'first' | 'all';
  readonly ops: 'r' | 'rw';
}

/** Commands beside the scripts, by their names. */
export const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['EXISTS', { keys: 'all', ops: 'r' }],
  ['HEXISTS', { keys: 'first', ops: 'r' }],
  ['HGET', { keys: 'first', ops: 'r' }],
  ['HGETALL', { keys: 'first', ops: 'r' }],
  ['HKEYS', { keys: 'first', ops: 'r' }],
  ['HLEN', { keys: 'first', ops: 'r' }],
  ['HMGET', { keys: 'first', ops: 'r' }],
  ['PTTL', { keys: 'first', ops: 'r' }],
  ['TTL', { keys: 'first', ops: 'r' }],
  ['TYPE', { keys: 'first', ops: 'r' }],
  ['DEL', { keys: 'all', ops: 'rw' }],
  ['UNLINK', { keys: 'all', ops: 'rw' }],
]);

type KeyKind = 'bucket' | 'lock';

interface ScriptRule {
  readonly script: Script;
  readonly keys: readonly KeyKind[];
  /** How many arguments after the keys are kept beside the fields, and looked through each time. */
  readonly kept: number;
  readonly ops: 'r' | 'rw';
}

/** How many bytes each of those has at most; the adapter's own have fewer than 60. */
const keptBytes = 256;

const scripts = new Map<Argument, ScriptRule>(
  (
    [
      { script: read, keys: ['bucket'], kept: 0, ops: 'r' },
      { script: commit, keys: ['bucket', 'lock'], kept: 2, ops: 'rw' },
      { script: lock, keys: ['lock'], kept: 1, ops: 'rw' },
    ] as const
  ).map((rule) => [rule.script.sha, rule]),
);

/** The scripts that a session's commands need in Redis. */
export const ownScripts: readonly Script[] = [...scripts.values()].map(({ script }) => script);

/** Throws a refusal, always the same one, unless the session may run the command. */
export function checkSession({ name, args }: Command, claims: Claims): void {
  const allowed =
    name === 'EVALSHA' ? isOwnScript(args, claims) : isOwnCommand(rules.get(name), args, claims);
  if (!allowed) throw forbidden();
}

/** Throws a refusal unless it is the channel of a bucket of the session. */
export function checkChannel(channel: string, claims: Claims): void {
  if (!isOwn(channel, 'bucket', claims, ':changes')) throw forbidden();
}

function isOwnCommand(rule: Rule | undefined, args: Command['args'], claims: Claims): boolean {
  if (!rule || !mayDo(rule.ops, claims)) return false;
  const keys = rule.keys === 'all' ? args : args.slice(0, 1);
  const fields = args.slice(keys.length);
  return (
    keys.length > 0 && keys.every((key) => isOwn(key, 'bucket', claims)) && !hasRepeats(fields)
  );
}

function isOwnScript([sha = '', count, ...rest]: Command['args'], claims: Claims): boolean {
  const rule = scripts.get(sha);
  if (!rule || !mayDo(rule.ops, claims)) return false;
  // As a text that Redis cannot read as another number: the keys are what we take for keys.
  if (count !== String(rule.keys.length) || rest.length < rule.keys.length) return false;
  const kept = rest.slice(rule.keys.length, rule.keys.length + rule.kept);
  if (kept.some((arg) => Buffer.byteLength(arg) > keptBytes)) return false;
  // After the word that says whether it reads all or some.
  if (rule.script === read && hasRepeats(rest.slice(rule.keys.length + 1))) return false;
  return rule.keys.every((kind, place) => isOwn(rest[place], kind, claims));
}

/** A field that is asked for a thousand times would be answered a thousand times. */
const hasRepeats = (names: Command['args']): boolean =>
  new Set(names.map(String)).size < names.length;

const mayDo = (ops: 'r' | 'rw', claims: Claims) => ops === 'r' || claims.ops === 'rw';

function isOwn(key: Argument | undefined, kind: KeyKind, claims: Claims, end = ''): boolean {
  // Bytes of a body need not be the text that was checked.
  if (typeof key !== 'string') return false;
  const tail = kind === 'lock' ? ':lock' : end;
  if (!key.startsWith(sessionPrefix(claims.app, claims.session)) || !key.endsWith(tail)) {
    return false;
  }
  const id = fromKey(key.slice(0, key.length - tail.length));
  // The prefix says so too, but it is cheap to be sure of the names themselves.
  if (id?.app !== claims.app || id.session !== claims.session) return false;
  // Without a state there is only the lock of the session itself.
  return kind === 'lock' || id.state !== '';
}
