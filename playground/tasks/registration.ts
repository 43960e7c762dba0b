import { AsyncState, Context, Depends, task } from 'qtasks-lite';
import * as v from 'valibot';

interface Form {
  step: 'name' | 'phone' | 'confirm' | 'done';
  name: string;
  phone: string;
  number: number;
}

export class Registration extends AsyncState<Form> {
  static readonly id = 'registration';
  static readonly ttl = 86_400_000; // left alone for a day, it is forgotten
  static readonly initial = { step: 'name' } as const;
}

const text = v.pipe(v.string(), v.trim());
const name = v.pipe(text, v.minLength(1, 'Please enter a name.'));
const phone = v.pipe(text, v.regex(/^\+[\d ]{6,}$/, 'Like +351 900 000 000.'));

/** Stands for a driver: it commits after a success and rolls back after anything else. */
const transaction = Depends({ ctx: Context }, async function* ({ ctx }) {
  await ctx.sleep(150);
  try {
    yield { insert: async (user: object) => Object.keys(user).length + 40 };
    ctx.logger.info('commit');
  } catch (error) {
    ctx.logger.info('rollback');
    throw error;
  }
});

export const enterName = task(
  'enter_name',
  { form: Registration },
  async ({ form }, name) => {
    await form.update({ step: 'phone', name });
  },
  { input: v.tuple([name]) },
);

export const enterPhone = task(
  'enter_phone',
  { form: Registration },
  async ({ form }, phone) => {
    await form.update({ step: 'confirm', phone });
  },
  { input: v.tuple([phone]) },
);

export const submit = task(
  'submit',
  { form: Registration, transaction, ctx: Context },
  async ({ form, transaction, ctx }) => {
    const { step, name, phone } = await form.getAll();
    if (step !== 'confirm') throw new Error('The form is not complete.');
    await ctx.sleep(300);
    const number = await transaction.insert({ name, phone });
    await form.update({ step: 'done', number });
    return number;
  },
  { exclusive: true }, // a double click, or a second tab, registers nobody twice
);

export const startOver = task('start_over', { form: Registration }, ({ form }) => form.clear());
