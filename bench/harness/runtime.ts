/** Where a section runs, how thoroughly, and whom it tells. */
import type { Table } from './figures.js';

/** Whether this is a page of Chromium, else it is Node. */
export const isPage = typeof process === 'undefined';

/** Whether fewer rounds will do: then figures are rough. */
export const quick = isPage ? location.search.includes('quick') : process.argv.includes('--quick');

/** A page waits for disks and other processes, whose time is counted as well: fewer will do. */
export const rounds = isPage ? (quick ? 5 : 15) : quick ? 10 : 30;

/** Hands a table to the process that has started this one. */
export function deliver(table: Table): Promise<void> {
  const { deliver } = globalThis as { deliver?: (table: Table) => Promise<void> };
  if (deliver) return deliver(table);
  return new Promise((resolve, reject) => {
    if (!process.send) throw new Error('run it by npm run bench');
    process.send(table, undefined, undefined, (error) => (error ? reject(error) : resolve()));
  });
}
