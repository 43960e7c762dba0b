/** What `npm start` serves beside the page: a Redis behind a proxy, and who the visitor is to it. */
import type { StorageAdapter } from 'qtasks-lite';
import { redis } from 'qtasks-lite/redis';

/** Logs in, as whoever has the cookie of this browser; gives the name of the visitor's session. */
export async function logIn(): Promise<string> {
  return post('/api/login');
}

/** The storage of the visitor who is logged in, in the page as in a worker. */
export function visitorStorage(): StorageAdapter {
  return redis({ url: `${location.origin}/redis`, token: () => post('/api/token') });
}

async function post(path: string): Promise<string> {
  const response = await fetch(path, { method: 'POST' });
  if (!response.ok) throw new Error(`${path} has answered ${response.status}`);
  return response.text();
}
