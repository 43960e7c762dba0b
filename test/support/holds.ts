/** Whether holds are free. */
import { QTasks, type StorageAdapter } from '../../src/index.js';
import { settle } from './clock.js';

/** Whether an exclusive run of the default session gets its hold at once. */
export async function isFree(storage: StorageAdapter): Promise<boolean> {
  const probe = new QTasks({ storage }).task('probe', () => 'value', { exclusive: true })();
  await settle();
  const { status } = probe;
  probe.cancel();
  return status === 'success';
}
