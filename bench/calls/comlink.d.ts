/** Of this file comlink's own declarations are found only under another name. */
declare module 'comlink/dist/esm/node-adapter.mjs' {
  import type { Endpoint } from 'comlink';

  export default function nodeEndpoint(port: object): Endpoint;
}
