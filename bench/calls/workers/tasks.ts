/** What the workers of the benchmark do, all of them the same. */
export const add = (a: number, b: number): number => a + b;

export const size = (buffer: ArrayBuffer): number => buffer.byteLength;

export const echo = (value: unknown): unknown => value;

export async function* count(many: number): AsyncGenerator<number> {
  for (let n = 0; n < many; n++) yield n;
}
