/** What the contestants of `depends` open and close, and a look at what each of them does not do. */

/** Which resources each one needs, by index. */
export type Shape = readonly (readonly number[])[];

/** Nobody needs anybody. */
export const independent = (n: number): Shape => Array.from({ length: n }, () => []);

/** Each needs the one before it and the first one: a chain of diamonds. */
export const chain = (n: number): Shape =>
  Array.from({ length: n }, (_, index) => (index === 0 ? [] : index === 1 ? [0] : [index - 1, 0]));

/** An open resource, for the containers that cannot await a construction. */
export interface Resource {
  readonly index: number;
  close(): Promise<void>;
}

export type Value = { readonly index: number };

/** As in an app, each resource has a function of its own: its generators are a class of their own. */
export type Open = (needs: readonly Value[]) => AsyncGenerator<Value, void, undefined>;

/** What a contestant works with. */
interface Kit {
  /** Makes a function whose generators open up to their `yield` and close after it. */
  opener(index: number): Open;
  /** The same as an object that is open as it is made. */
  resource(index: number, needs: readonly Value[]): Resource;
  /** The body of a run; `last` is the last resource, `undefined` without any. */
  handler(last: Value | undefined): Promise<number>;
}

/** Opens the resources of a shape, calls the handler with the last one and closes them again. */
export type Contender = (kit: Kit, shape: Shape) => () => unknown;

/** A kit that counts. */
export class CountingKit implements Kit {
  opened = 0;
  closed = 0;

  opener(index: number): Open {
    const kit = this;
    return async function* () {
      kit.opened++;
      try {
        yield { index };
      } finally {
        kit.closed++;
      }
    };
  }

  resource(index: number): Resource {
    this.opened++;
    return {
      index,
      close: async () => {
        this.closed++;
      },
    };
  }

  async handler(last: Value | undefined): Promise<number> {
    return last ? last.index : -1;
  }

  /** Whether everything was opened and closed once a call. */
  check(calls: number, shape: Shape, last: unknown): string | undefined {
    const { opened, closed } = this;
    this.opened = 0;
    this.closed = 0;
    const due = calls * shape.length;
    if (opened !== due || closed !== due) return `${due} due, ${opened} opened, ${closed} closed`;
    return last === shape.length - 1 ? undefined : `the handler gave ${String(last)}`;
  }
}

/** A kit that writes down what happens, slowly, so that what overlaps shows. */
class TracingKit implements Kit {
  readonly trace: string[] = [];
  readonly fails: boolean;
  generators = false;

  constructor(fails: boolean) {
    this.fails = fails;
  }

  opener(index: number): Open {
    return () => this.#generator(index);
  }

  async *#generator(index: number): AsyncGenerator<Value, void, undefined> {
    this.generators = true;
    this.trace.push(`opening ${index}`);
    await turn();
    this.trace.push(`open ${index}`);
    try {
      yield { index };
    } catch (error) {
      this.trace.push(`error ${index}`);
      throw error;
    } finally {
      await this.#close(index);
    }
  }

  resource(index: number): Resource {
    this.trace.push(`opening ${index}`, `open ${index}`);
    return { index, close: () => this.#close(index) };
  }

  async #close(index: number): Promise<void> {
    this.trace.push(`closing ${index}`);
    await turn();
    this.trace.push(`closed ${index}`);
  }

  async handler(): Promise<number> {
    if (this.fails) throw new Error('the handler fails');
    return 0;
  }

  indexes(what: string): number[] {
    const lines = this.trace.filter((line) => line.startsWith(`${what} `));
    return lines.map((line) => Number(line.slice(what.length)));
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Tries a contestant on three independent resources and says what it does not do. */
export async function shortcomings(contender: Contender): Promise<string> {
  const [good, bad] = [new TracingKit(false), new TracingKit(true)];
  await contender(good, independent(3))();
  await Promise.resolve(contender(bad, independent(3))()).catch(() => undefined);
  const opened = good.indexes('open');
  const closing = good.indexes('closing');
  const { trace } = good;
  const missing: string[] = [];
  if (!good.generators) missing.push('open asynchronously');
  else if (trace.indexOf('opening 1') > trace.indexOf('open 0')) missing.push('open in parallel');
  if (closing.length < 3) missing.push('close');
  else {
    if (closing.join() !== opened.reverse().join()) missing.push('close in reverse');
    const one = trace.indexOf(`closed ${closing[0]}`);
    if (trace.indexOf(`closing ${closing[1]}`) < one) missing.push('close one at a time');
  }
  if (bad.indexes('error').length < 3) missing.push('pass the error on');
  if (bad.indexes('closing').length < 3) missing.push('close after an error');
  return missing.join(', ');
}
