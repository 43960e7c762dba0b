/** Both original examples, as any client runs them whose app logs where this prints. */
import type { TaskClient } from 'qtasks-lite';
import type * as tasks from './tasks.js';

export async function printExamples(
  client: TaskClient<typeof tasks>,
  print: (line: string) => void,
): Promise<void> {
  print('Example 1: Depends');
  await client.run('test_depends');

  print('Example 2: AsyncState');
  await client.run('step1');
  await client.run('step2');
}
