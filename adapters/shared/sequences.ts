/** What the writers of a bucket have sent, so that a repeated commit is known as one. */

/** The highest sequence of each writer, the newest writer last. */
export type Sequences = Map<string, number>;

/** How many writers a bucket remembers. */
const maxWriters = 16;

/** Notes a writer's sequence as the newest; the one that has been silent longest may be forgotten. */
export function remember(sequences: Sequences, writer: string, sequence: number): void {
  if (sequences.size > 1) sequences.delete(writer);
  sequences.set(writer, sequence);
  if (sequences.size <= maxWriters) return;
  const [oldest] = sequences.keys();
  if (oldest !== undefined) sequences.delete(oldest);
}
