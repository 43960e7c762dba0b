/** The records that this adapter has written last, to guess what it will find. */

/** How many buckets, and how long a record may be, in UTF-16 units. */
const most = 100;
const longest = 32_768;

/** Records by the keys of their buckets. */
export class KnownRecords {
  readonly #records = new Map<string, string>();

  /** Gives the record of a bucket and forgets it: it counts once. */
  take(key: string): string | undefined {
    const record = this.#records.get(key);
    this.#records.delete(key);
    return record;
  }

  put(key: string, record: string | undefined): void {
    if (record === undefined || record.length > longest) return;
    this.#records.set(key, record);
    if (this.#records.size <= most) return;
    const [oldest] = this.#records.keys();
    if (oldest !== undefined) this.#records.delete(oldest);
  }
}
