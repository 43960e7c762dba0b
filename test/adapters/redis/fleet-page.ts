/** A page that is a member of the fleet, over HTTP. */
import { redis } from '../../../adapters/redis.js';
import { Member } from './fleet-member.js';

const parameters = new URL(location.href).searchParams;
const of = (name: string): string => parameters.get(name) ?? '';
const retry = JSON.parse(of('retry'));
const storage = redis({ url: of('url'), token: of('token'), retry });

export const member = new Member(of('name'), of('app'), storage);
Object.assign(globalThis, { member });
