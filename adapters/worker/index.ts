/** The entry point `qtasks-lite/worker`: the tasks of one app, called from other threads. */
export { type ConnectOptions, connect, type WorkerClient } from './connect.js';
export type { MessageEndpoint } from './endpoint.js';
export type { ErrorClasses } from './errors.js';
export { hostStorage } from './host-storage.js';
export { type ServeOptions, type Serving, serve } from './serve.js';
export type { WorkerSource } from './source.js';
export { transfer } from './transfer.js';
