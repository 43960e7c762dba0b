import { AsyncState, Context, task } from 'qtasks-lite';

interface Order {
  step: 'greeting' | 'size' | 'address' | 'confirmation';
  size: string;
  address: string;
  said: string[];
}

export class Dialogue extends AsyncState<Order> {
  static readonly id = 'dialogue';
  static readonly ttl = 86_400_000;
  static readonly initial = { step: 'greeting', said: [] } as const;
}

/** What the bot says, and what it remembers. */
type Turn = readonly [say: string, remember: Partial<Order>];

const turns: Record<Order['step'], (text: string, order: Partial<Order>) => Turn> = {
  greeting: () => ['Hello! A small pizza, or a large one?', { step: 'size' }],
  size: (size) =>
    ['small', 'large'].includes(size.toLowerCase())
      ? [`A ${size.toLowerCase()} one. Where do you live?`, { step: 'address', size }]
      : ['There is small and large.', {}],
  address: (address, { size }) => [
    `A ${size} pizza, to ${address}. Yes?`,
    { step: 'confirmation', address },
  ],
  confirmation: (text) =>
    text.toLowerCase() === 'yes'
      ? ['It is on its way.', { step: 'greeting' }]
      : ['Then again: small or large?', { step: 'size' }],
};

export const answer = task(
  'answer',
  { dialogue: Dialogue, ctx: Context },
  async function* ({ dialogue, ctx }, text: string) {
    const order = await dialogue.getAll();
    const [say, remember] = turns[order.step ?? 'greeting'](text, order);
    for (const word of say.split(' ')) {
      await ctx.sleep(60);
      yield word; // streams to the page, word by word
    }
    const said = [...(order.said ?? []), text, say].slice(-20);
    await dialogue.update({ ...remember, said });
    return say;
  },
  { exclusive: true, retry: 2 }, // one message of a chat after the other
);

export const forget = task('forget', { dialogue: Dialogue }, ({ dialogue }) => dialogue.clear());
