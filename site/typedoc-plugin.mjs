/**
 * A plugin of typedoc: modules have the names by which they are imported, numbers the names of their units, and
 * what is internal is left out.
 */
import { readFileSync } from 'node:fs';
import { Converter, ReflectionKind } from 'typedoc';

const pkg = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** @type {Map<string, string>} from `adapters/memory` to `qtasks-lite/memory` */
const names = new Map();
for (const [entry, target] of Object.entries(pkg.exports)) {
  if (typeof target !== 'object') continue;
  const path = target.default.replace('./dist/', '').replace(/(\/index)?\.js$/, '');
  names.set(path, pkg.name + entry.slice(1));
}

/** Numbers with a unit in the name of their type, which typedoc would show as numbers. */
const units = /\b(Milliseconds|EpochMs)\b/;

/**
 * Gives something the type that its source names.
 * @param {import('typedoc').Context} context
 * @param {import('typedoc').DeclarationReflection} reflection
 */
function keepUnit(context, reflection) {
  const type = context.getSymbolFromReflection(reflection)?.getDeclarations()?.[0]?.type;
  if (!type || !units.test(type.getText())) return;
  reflection.type = context.converter.convertType(context.withScope(reflection), type);
}

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, keepUnit);
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module)) {
      module.name = names.get(module.name) ?? module.name;
    }
    // Protocols between the library's own parts have symbols of their own, like [NEED].
    for (const reflection of project.getReflectionsByKind(ReflectionKind.SomeMember)) {
      if (/^\[[A-Z]+\]$/.test(reflection.name)) project.removeReflection(reflection);
    }
  });
}
