/** Another thread, as a test sees it: it runs realm.worker.ts and calls what `driver` there has. */
import { Endpoint, type MessageEndpoint } from '../../../adapters/worker/endpoint.js';
import type { Driver } from './driver.js';

/** What passes between the two. */
export interface Call {
  readonly realm: number;
  readonly method: keyof Driver;
  readonly args: readonly unknown[];
}

/** What comes back; `error` is a text. */
export interface Answer {
  readonly realm: number;
  readonly result?: unknown;
  readonly error?: string;
}

let calls = 0;

/** One thread. */
export class Realm {
  readonly endpoint: Endpoint;

  constructor(worker: MessageEndpoint) {
    this.endpoint = new Endpoint(worker);
  }

  /** Calls a method; the ports among the arguments go to the other thread. */
  call<Method extends keyof Driver>(
    method: Method,
    ...args: Parameters<Driver[Method]>
  ): Promise<Awaited<ReturnType<Driver[Method]>>> {
    const realm = ++calls;
    return new Promise((resolve, reject) => {
      const stop = this.endpoint.listen((message) => {
        const answer = message as Answer;
        if (answer.realm !== realm) return false;
        stop();
        if (answer.error !== undefined) reject(new Error(answer.error));
        else resolve(answer.result as Awaited<ReturnType<Driver[Method]>>);
        return true;
      });
      const ports = args.filter((arg) => arg instanceof MessagePort);
      this.endpoint.post({ realm, method, args } satisfies Call, ports);
    });
  }

  end(): Promise<void> {
    return this.endpoint.terminate();
  }
}
