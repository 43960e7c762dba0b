/**
 * The body of a dependency that writes down what becomes of it: `+a` it opens, `-a` it closes after
 * a success, `!a reason` after a failure. The value is its name.
 */
export async function* traced(
  log: string[],
  name: string,
): AsyncGenerator<string, void, undefined> {
  log.push(`+${name}`);
  try {
    yield name;
    log.push(`-${name}`);
  } catch (error) {
    log.push(`!${name} ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  }
}
