/**
 * A worker that answers whatever a test has told it to, however wrong: `{ [kind]: messages }`, by the kind of
 * the first frame of a message. In them `$connection` and `$call` stand for what that message had.
 */
import { Endpoint, parentEndpoint } from '../../../adapters/worker/endpoint.js';

const parent = parentEndpoint();
if (!parent) throw new Error('nobody has started this worker');
const endpoint = new Endpoint(parent);
let answers: Readonly<Record<number, readonly unknown[]>> = {};

endpoint.listen((message) => {
  if (!Array.isArray(message)) {
    answers = message as typeof answers;
    return true;
  }
  const [, connection, kind, call] = message as unknown[];
  const places = new Map<unknown, unknown>([
    ['$connection', connection],
    ['$call', call],
  ]);
  const fill = (part: unknown): unknown => (places.has(part) ? places.get(part) : part);
  for (const answer of answers[kind as number] ?? []) {
    endpoint.post(Array.isArray(answer) ? answer.map(fill) : answer);
  }
  return true;
});
