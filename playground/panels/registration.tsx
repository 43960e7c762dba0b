/** A form in steps: what it shows is its state, so a reload and another tab go on with it. */
import { useSignal } from '@preact/signals';
import type { Run } from 'qtasks-lite';
import { explain, fieldsOf, type PanelProps, show } from './panel.js';

const steps = ['name', 'phone', 'confirm', 'done'] as const;

const asked = {
  name: { label: 'Your name', inputMode: 'text', placeholder: 'Ann' },
  phone: { label: 'Your phone number', inputMode: 'tel', placeholder: '+351 900 000 000' },
} as const;

export function RegistrationPanel(props: PanelProps) {
  const { play, client, observed } = props;
  const { step, name, phone, number } = fieldsOf(props);
  const text = useSignal('');
  const error = useSignal('');
  const isBusy = useSignal(false);

  const submit = async (task: string, run: () => Run<unknown, unknown>) => {
    isBusy.value = true;
    try {
      await play.follow(run(), task);
      error.value = '';
      text.value = '';
    } catch (thrown) {
      error.value = explain(thrown);
    } finally {
      isBusy.value = false;
    }
  };
  const goOn = (event: Event) => {
    event.preventDefault();
    if (isBusy.value) return;
    if (step === 'name') void submit('enter_name', () => client.run('enter_name', text.value));
    else if (step === 'phone')
      void submit('enter_phone', () => client.run('enter_phone', text.value));
    else if (step === 'confirm') void submit('submit', () => client.run('submit'));
    else void submit('start_over', () => client.run('start_over'));
  };

  const next = step === 'confirm' ? 'Register' : step === 'done' ? 'Once more' : 'Next';
  const question = step === 'name' || step === 'phone' ? asked[step] : undefined;
  return (
    <form class="demo" noValidate onSubmit={goOn} aria-busy={!observed.isLoaded.value}>
      <ol class="steps">
        {steps.map((each) => (
          <li key={each} aria-current={each === step ? 'step' : undefined}>
            {each}
          </li>
        ))}
      </ol>
      {question ? (
        <label class="field">
          {question.label}
          <input
            type="text"
            inputMode={question.inputMode}
            placeholder={question.placeholder}
            value={text.value}
            aria-describedby="form-error"
            onInput={(event) => {
              text.value = event.currentTarget.value;
            }}
          />
        </label>
      ) : (
        <p class="field">
          {step === 'done'
            ? `Welcome, ${show(name)}, you are number ${show(number)}.`
            : `${show(name)}, ${show(phone)}: is everything right?`}
        </p>
      )}
      <div class="buttons">
        <button type="submit" class="primary" disabled={isBusy.value}>
          <span key={next}>{next}</span>
        </button>
        <button
          type="button"
          disabled={isBusy.value || step === 'name'}
          onClick={() => void submit('start_over', () => client.run('start_over'))}
        >
          Start over
        </button>
      </div>
      <p id="form-error" class="said error" role="status">
        {error.value}
      </p>
    </form>
  );
}
