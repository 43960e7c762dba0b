/** Part of `npm run bench -- growth`: states in IndexedDB. */
import { indexeddb } from 'qtasks-lite/indexeddb';
import { bytes, fields, type Place, sessions } from './storages.js';

const shared = 'the small fields of a session are one record, which is read and written as a whole';
const place: Place = {
  name: 'IndexedDB',
  waits: true,
  calls: 10,
  create: () => indexeddb({ database: `growth-${Math.random()}` }),
  fields: { set: shared, get: shared },
};
await fields(place);
await sessions(place);
await bytes(place);
document.title = 'done';
