/** All tasks of the playground as one module: page and workers run the same. */
export * from '../tasks.js';
export * from './chatbot.js';
export * from './coffee.js';
export * from './pipeline.js';
export * from './registration.js';
