/** Plain objects whose property names come from users. */

/** Sets a property under any name; an assignment to `__proto__` would change the prototype. */
export function put(record: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    const property = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(record, key, property);
  } else record[key] = value;
}
