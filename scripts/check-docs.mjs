/**
 * Every export of an entry point has a docstring, and so has every method of an exported class. What
 * throws a QTasksError, or checks its arguments, says so with `@throws` and codes that exist.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseSync } from 'vite';

/**
 * A node of the syntax tree, as far as it is looked at here.
 * @typedef {{ type: string, start: number, end: number } & Record<string, any>} Node
 * @typedef {{ path: string, text: string, body: Node[], docs: Map<number, string> }} Source
 */

/** @type {Map<string, Source>} */
const sources = new Map();
/** @type {string[]} */
const faults = [];
let checked = 0;

const codes = new Set(readFileSync('src/errors.ts', 'utf8').match(/(?<=^ {2}\| ')[A-Z_]+/gm));

/** @type {{ exports: Record<string, { default?: string }> }} */
const pkg = JSON.parse(readFileSync('package.json', 'utf8'));
for (const target of Object.values(pkg.exports))
  if (target.default) {
    const entry = target.default.replace('./dist/', '').replace(/\.js$/, '.ts');
    for (const name of exportsOf(entry)) checkExport(entry, name);
  }

for (const fault of faults) console.error(fault);
console.log(`${checked} exports and methods, ${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;

/**
 * @param {string} path
 * @returns {Source}
 */
function load(path) {
  const known = sources.get(path);
  if (known) return known;
  const text = readFileSync(path, 'utf8');
  const { program, comments } = parseSync(path, text);
  /** @type {Map<number, string>} where the code after a docstring begins: the docstring */
  const docs = new Map();
  for (const { type, value, end } of comments)
    if (type === 'Block' && value.startsWith('*'))
      docs.set(end + (/^\s*/.exec(text.slice(end))?.[0].length ?? 0), value);
  const source = { path, text, body: /** @type {Node[]} */ (program.body), docs };
  sources.set(path, source);
  return source;
}

/** @param {string} path */
function exportsOf(path) {
  return load(path).body.flatMap((node) => {
    if (node.type === 'ExportAllDeclaration')
      throw new Error(`${path}: name what is exported instead of export *`);
    if (node.type !== 'ExportNamedDeclaration') return [];
    const declared = node.declaration ? namesOf(node.declaration) : [];
    return [
      ...declared,
      ...node.specifiers.map((/** @type {Node} */ { exported }) => exported.name),
    ];
  });
}

/**
 * @param {Node} declaration
 * @returns {string[]}
 */
function namesOf(declaration) {
  if (declaration.type === 'VariableDeclaration')
    return declaration.declarations.map((/** @type {Node} */ { id }) => id.name);
  return [declaration.id.name];
}

/**
 * Follows re-exports to the declaration and checks that.
 * @param {string} path
 * @param {string} name
 */
function checkExport(path, name) {
  const source = load(path);
  for (const node of source.body) {
    if (node.type !== 'ExportNamedDeclaration') continue;
    if (node.declaration && namesOf(node.declaration).includes(name))
      return checkDeclaration(source, node, name);
    const specifier = node.specifiers.find(
      (/** @type {Node} */ { exported }) => exported.name === name,
    );
    if (specifier && node.source) {
      const from = join(dirname(path), node.source.value.replace(/\.js$/, '.ts'));
      return checkExport(from, specifier.local.name);
    }
  }
  faults.push(`${path}: cannot find where ${name} is declared`);
}

/**
 * @param {Source} source
 * @param {Node} node
 * @param {string} name
 */
function checkDeclaration(source, node, name) {
  const { declaration } = node;
  checkDoc(
    source,
    node,
    name,
    declaration.type === 'FunctionDeclaration' ? declaration : undefined,
  );
  if (declaration.type !== 'ClassDeclaration') return;
  const seen = new Set(); // one docstring serves all overloads
  for (const member of declaration.body.body) {
    const key = member.key?.name;
    if (member.type === 'MethodDefinition' && member.key.type === 'Identifier')
      if (isPublic(member) && !seen.has(key))
        checkDoc(source, member, `${name}.${key}`, member.value);
    seen.add(key);
  }
}

/** @param {Node} member */
function isPublic({ computed, accessibility, kind }) {
  return !computed && kind === 'method' && (accessibility ?? 'public') === 'public';
}

/**
 * @param {Source} source
 * @param {Node} node
 * @param {string} name
 * @param {Node | undefined} code what may throw
 */
function checkDoc({ path, text, docs }, node, name, code) {
  checked++;
  const where = `${path}:${text.slice(0, node.start).split('\n').length}: ${name}`;
  const doc = docs.get(node.start);
  if (doc === undefined) {
    faults.push(`${where} has no docstring`);
    return;
  }
  if (code?.body && throws(code.body) && !doc.includes('@throws'))
    faults.push(`${where} throws, but its docstring has no @throws`);
  for (const [code] of doc.matchAll(/\b(?:[A-Z]+_)+[A-Z]+\b/g))
    if (!codes.has(code)) faults.push(`${where}: there is no error code ${code}`);
}

/**
 * Whether a function throws by itself: a function inside it is another one.
 * @param {Node} node
 * @returns {boolean}
 */
function throws(node) {
  if (/Function|Class/.test(node.type)) return false;
  if (node.type === 'ThrowStatement') return node.argument.callee?.name === 'QTasksError';
  if (node.type === 'CallExpression' && /^check[A-Z]?/.test(node.callee.name ?? '')) return true;
  return Object.values(node)
    .flat()
    .some((child) => typeof child?.type === 'string' && throws(child));
}
