/** A program that uses the adapter over HTTP for everything, closes it, and has to end by itself. */
import { redis } from '../../../adapters/redis.js';

const [url = '', token = ''] = process.argv.slice(2);
const storage = redis({ url, token });
const id = { app: `visitor-${process.pid}`, session: 'ann', state: 'cart' };
storage.watch?.(id, () => console.log('told'));
await storage.commit(id, { writer: 'w', sequence: 1, set: new Map([['a', '1']]) });
const release = await storage.lock?.(id, {});
await storage.lock?.({ app: id.app, session: 'ann' }, {});
await storage.commit(id, { writer: 'w', sequence: 2, clear: true });
await release?.();
await storage.close();
console.log('closed');
