/**
 * Turns one value of a state's field into the text that a storage adapter carries, and back. The
 * bucket engine is its only user.
 *
 * What JSON carries exactly is stored as that JSON, readable from anywhere. Anything richer is `~1`
 * (no JSON begins with `~`; 1 is the version) and a JSON array of its nodes, itself first, each of
 * them a pair of kind and content:
 *
 *     { at: new Date(0), odd: new Set([NaN]) }
 *     ~1[["Object",{"at":[1],"odd":[2]}],["Date",["1970-01-01T00:00:00.000Z"]],
 *        ["Set",[[3]]],["number",["NaN"]]]                              (without the line break)
 *
 * | kind | content |
 * | --- | --- |
 * | `Object`, `null` (an object without prototype) | object of slots |
 * | `Array`, `Set` | array of slots |
 * | `Map` | array of slots: key, value, key, value, … |
 * | `RegExp` | array of slots: source, flags, lastIndex |
 * | `Date` | `[ISO 8601]`, or `["null"]` for an invalid one |
 * | `URL` | `[href]` |
 * | `undefined`, `number` (`NaN`, `±Infinity`, `-0`), `bigint` | `[its text]` |
 * | `ArrayBuffer`, `Uint8Array` and the other typed arrays | `[a character U+0100 + n per byte n]` |
 *
 * A slot is a string, finite number, boolean or `null` as in JSON, or `[n]`: node n, counted from 0.
 * So one object can stand in two places or in itself, and nesting has no limit. Bytes are in the
 * order of the machine, which is little-endian everywhere; JSON would escape characters below U+0020.
 *
 * Not kept: accessors (they become the value they gave, and should give the same one each time), what
 * is not enumerable, frozen or sealed, extra properties of typed arrays, that a buffer can grow, and
 * that two views share one: each comes back with a buffer of its own that holds the view's part.
 */
import { QTasksError } from './errors.js';

/** Where a node was met first. */
interface Node {
  readonly index: number;
  /** Leads here from the parent, last step first. */
  readonly steps: readonly (string | number)[];
  readonly parent?: Node;
}

/** One row of the table above. */
type Kind = readonly [
  name: string,
  /** How many prototypes an instance has above it; one of a subclass has more. */
  depth: number,
  /** Copies the content, not yet as slots. Throws for what only claims to be of this kind. */
  read: (value: unknown) => object,
  /** Makes the value of its content, whose nodes are not there yet. */
  make: (content: object) => unknown,
];

/**
 * Encodes one value of a state's field. In the path of an error, a member of a Set has its position
 * and one of a Map those in `[...map]`: the entry's, then 0 for the key or 1 for the value. Where a
 * getter throws, the path leads to its object.
 * @throws VALUE_UNSUPPORTED with `data.path`, beginning with `field`
 */
export function encode(value: unknown, field: string): string {
  try {
    if (isScalar(value)) return typeof value === 'number' ? String(value) : JSON.stringify(value);
    if (isPlain(value)) return JSON.stringify(value);
  } catch {
    // Too deep for JSON.stringify, or a getter throws: the table copes with it or tells where.
  }
  const nodes = new Map<unknown, Node>([[value, { index: 0, steps: [field] }]]);
  const table: unknown[] = [];
  // A Map also visits what is added to it on the way.
  for (const [item, node] of nodes) {
    const [name, content] = readNode(item, node);
    table.push([name, content]);
    replaceNodes(content, (child, key, position) => {
      const known = nodes.get(child) ?? {
        index: nodes.size,
        steps:
          name === 'Map'
            ? [position % 2, position >> 1]
            : [Array.isArray(content) ? position : key],
        parent: node,
      };
      nodes.set(child, known);
      return [known.index];
    });
  }
  return `~1${JSON.stringify(table)}`;
}

/**
 * Decodes what {@link encode} made, always to a fresh copy.
 * @throws STORAGE_CORRUPT for any other text; without a cause, which might quote it
 */
export function decode(raw: string, field: string): unknown {
  try {
    return raw.startsWith('~1') ? fromTable(JSON.parse(raw.slice(2))) : JSON.parse(raw);
  } catch {
    throw new QTasksError(
      'STORAGE_CORRUPT',
      `The stored value of "${field}" is damaged or of a newer version; set or delete it`,
      { data: { field } },
    );
  }
}

/** Whether values of this kind are immutable and so need no copy. */
export function isPrimitive(value: unknown): boolean {
  return Object(value) !== value && typeof value !== 'symbol';
}

/** Whether JSON carries this exactly, without a look inside. */
function isScalar(value: unknown): boolean {
  if (typeof value === 'number') return value - value === 0 && (value !== 0 || 1 / value > 0);
  return typeof value === 'string' || typeof value === 'boolean' || value === null;
}

/** Whether JSON carries all of this exactly. Every write pays for it, so it only says no. */
function isPlain(root: unknown): boolean {
  const seen = new Set([root]);
  // A Set also visits what is added to it on the way.
  for (const node of seen) {
    if (!isOrdinary(node)) return false;
    for (const child of Object.values(node)) {
      if (isScalar(child)) continue;
      if (seen.has(child)) return false;
      seen.add(child);
    }
  }
  return true;
}

/** Whether this is a list or record of this realm, and no more than that. */
function isOrdinary(value: unknown): value is object {
  if (typeof value !== 'object' || !value) return false;
  const { prototype } = Array.isArray(value) ? Array : Object;
  if (Object.getPrototypeOf(value) !== prototype) return false;
  return Object.getOwnPropertySymbols(value).length === 0 && !hasMore(value);
}

/** Whether a list or record has what its slots would not show. */
function hasMore(node: object): boolean {
  return (
    typeof Reflect.get(node, 'toJSON') === 'function' ||
    // reduce skips holes.
    (Array.isArray(node) &&
      (Object.values(node).length !== node.length ||
        node.reduce((count) => count + 1, 0) !== node.length))
  );
}

/** Reads one node: its kind's name and a copy of its content. */
function readNode(value: unknown, node: Node): [string, object] {
  let found: Kind | string;
  let options = {};
  try {
    // Most are; to find the kind of any value takes several times as long.
    if (isOrdinary(value)) {
      return Array.isArray(value) ? ['Array', [...value]] : ['Object', { ...value }];
    }
    found = kindOf(value);
    if (typeof found === 'object') {
      const [name, , read] = found;
      return [name, read(value)];
    }
  } catch (cause) {
    found = 'value that throws when read';
    options = { cause };
  }
  const path = [];
  for (let at: Node | undefined = node; at; at = at.parent) path.push(...at.steps);
  path.reverse();
  throw new QTasksError(
    'VALUE_UNSUPPORTED',
    `Cannot store the ${found} at ${path.join('.').slice(0, 200)}; store plain data made of it`,
    { ...options, data: { path } },
  );
}

/** Replaces each slot that is no scalar, in place. */
function replaceNodes(
  content: object,
  replace: (slot: unknown, key: string, position: number) => unknown,
): void {
  let position = 0;
  for (const key of Object.keys(content)) {
    const slot: unknown = Reflect.get(content, key);
    // An own "__proto__" is there already, so this sets it and no prototype.
    if (!isScalar(slot)) Reflect.set(content, key, replace(slot, key, position));
    position++;
  }
}

/** Finds the kind of a value, or describes what is not supported. */
function kindOf(value: unknown): Kind | string {
  if (typeof value !== 'object' || !value) return KINDS.get(typeof value) ?? typeof value;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  const depth = countPrototypes(value);
  const isArray = Array.isArray(value);
  const kind = KINDS.get(depth || tag !== 'Object' ? tag : 'null');
  // The last prototype has to be an Object.prototype, of whichever realm.
  if (
    kind?.[1] !== depth ||
    (tag === 'Array') !== isArray ||
    (depth && !('isPrototypeOf' in value))
  )
    return `instance of ${value.constructor?.name || tag}`;
  const open = depth < 2 || isArray;
  // A spread takes symbol keys along, if they are enumerable.
  const own = depth < 3 ? Reflect.ownKeys({ ...value }).length : 0;
  return own !== (open ? Object.values(value).length : 0) || (open && hasMore(value))
    ? `${kind[0]} with holes, symbols, toJSON or extra properties`
    : kind;
}

/** Overflows the stack, and so throws, where a proxy's chain has no end. */
function countPrototypes(value: object): number {
  const next: object | null = Object.getPrototypeOf(value);
  return next ? 1 + countPrototypes(next) : 0;
}

/**
 * Makes all values first, so that they can then be put into each other. Throws for whatever encode
 * cannot have made.
 */
function fromTable(table: [unknown, object][]): unknown {
  const values = table.map(([name, content]) => {
    const kind = KINDS.get(name);
    if (!kind || Object(content) !== content || Array.isArray(content) !== kind[1] > 1)
      throw new TypeError();
    return kind[3](content);
  });
  values.forEach((value, index) => {
    const content = Object(table[index]?.[1]);
    replaceNodes(content, (slot) => {
      const target: unknown = Array.isArray(slot) && slot[0];
      if (typeof target !== 'number' || !(target in values)) throw new TypeError();
      return values[target];
    });
    if (value instanceof Set) for (const member of content) value.add(member);
    if (value instanceof Map)
      for (let at = 0; at < content.length; at += 2) value.set(content[at], content[at + 1]);
    if (value instanceof RegExp) value.lastIndex = content[2];
  });
  if (!values.length) throw new TypeError();
  return values[0];
}

const KINDS: ReadonlyMap<unknown, Kind> = /* @__PURE__ */ createKinds();

function createKinds(): Map<unknown, Kind> {
  const kinds = new Map<unknown, Kind>();
  const add = (...kind: Kind): unknown => kinds.set(kind[0], kind);
  const asText = (value: unknown) => [`${value}`];
  const copy = (value: unknown) => ({ ...Object(value) });
  const first = (content: object) => `${Reflect.get(content, 0)}`;
  add('Object', 1, copy, (content) => content);
  add('null', 0, copy, (content) => Object.setPrototypeOf(content, null));
  add(
    'Array',
    2,
    (list) => [...Object(list)],
    (content) => content,
  );
  add(
    'Map',
    2,
    (map) => [...Reflect.apply(Map.prototype.entries, map, [])].flat(),
    () => new Map(),
  );
  add(
    'Set',
    2,
    (set) => [...Reflect.apply(Set.prototype.values, set, [])],
    () => new Set(),
  );
  add(
    'RegExp',
    2,
    (regexp) => [
      Reflect.get(RegExp.prototype, 'source', regexp),
      Object(regexp).flags,
      Object(regexp).lastIndex,
    ],
    (content) => new RegExp(first(content), `${Reflect.get(content, 1)}`),
  );
  add(
    'Date',
    2,
    (date) => asText(new Date(Reflect.apply(Date.prototype.getTime, date, [])).toJSON()),
    (content) => new Date(first(content)),
  );
  add(
    'URL',
    2,
    (url) => asText(Reflect.get(URL.prototype, 'href', url)),
    (content) => new URL(first(content)),
  );
  add('undefined', 9, asText, () => undefined);
  add('bigint', 9, asText, (content) => BigInt(first(content)));
  add(
    'number',
    9,
    (number) => asText(number === 0 ? '-0' : number),
    (content) => Number(first(content)),
  );
  add(
    'ArrayBuffer',
    2,
    (buffer) => toText(buffer, 0),
    (content) => toBuffer(first(content)),
  );
  for (const View of [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ]) {
    add(
      View.name,
      3,
      (view) => {
        const { buffer, byteOffset, byteLength } = Object(view);
        return toText(buffer, byteOffset, byteOffset + byteLength);
      },
      (content) => new View(toBuffer(first(content))),
    );
  }
  return kinds;
}

/** Copies; throws for shared memory and for a detached buffer. */
function toText(buffer: unknown, start: number, end?: number): string[] {
  const bytes = new Uint8Array(Reflect.apply(ArrayBuffer.prototype.slice, buffer, [start, end]));
  const codes = new Uint16Array(bytes).map((byte) => byte + 256);
  let text = '';
  // In pieces, because a call takes only so many arguments.
  for (let at = 0; at < codes.length; at += 8192)
    text += String.fromCharCode(...codes.subarray(at, at + 8192));
  return [text];
}

function toBuffer(text: string): ArrayBuffer {
  return new Uint8Array(text.length).map((_, at) => text.charCodeAt(at)).buffer;
}
