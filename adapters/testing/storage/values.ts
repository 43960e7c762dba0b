/** Values are strings, any strings. */
import type { Cases } from './arena.js';
import { same } from './expect.js';

const texts = [
  '',
  ' ',
  '0',
  'null',
  'true',
  '{"a":1}',
  '"quoted"',
  "it's",
  'line\nbreak\r\n',
  'tab\t',
  'nul\0nul',
  'é e\u0301 \u{1F600}',
  '\u2028\u2029',
  '\ud800',
  'x\udfffy',
  '%00%',
  'x'.repeat(100_000),
];

/** Values. */
export const values: Cases = {
  'every string comes back as it was': async (arena) => {
    const adapter = await arena.open();
    const set = Object.fromEntries(texts.map((text, index) => [`f${index}`, text]));
    await arena.commit(adapter, arena.bucket(), { set });
    const { fields } = await adapter.read(arena.bucket());
    for (const [name, text] of Object.entries(set)) {
      const promise = `the value ${JSON.stringify(text.slice(0, 20))} comes back unchanged`;
      same(fields.get(name) === text, true, promise);
    }
  },
  'many fields are as good as few': async (arena) => {
    const adapter = await arena.open();
    const set = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, index) => [`f${index}`, `${index}`]),
    );
    await arena.commit(adapter, arena.bucket(), { set });
    same((await adapter.read(arena.bucket())).fields.size, 1_000, '1,000 fields in one bucket');
  },
};
