/** The entry point `qtasks-lite/redis-proxy`: Redis over HTTP, for browsers that may not reach it. */
export type { RedisProxyLimits } from './limits.js';
export type { RedisProxyOptions } from './options.js';
export { type RedisProxy, redisProxy } from './proxy.js';
export type { Secret } from './secret.js';
export { type SignSessionOptions, signSession } from './token.js';
