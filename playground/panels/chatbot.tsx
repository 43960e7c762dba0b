/** A dialogue: where it stands and what was said is its state; answers come word by word. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { explain, fieldsOf, type PanelProps, show } from './panel.js';

export function ChatbotPanel(props: PanelProps) {
  const { play, client } = props;
  const { said } = fieldsOf(props);
  const text = useSignal('');
  const asking = useSignal('');
  /** What the state has said as it was asked: as soon as it says more, that is the answer. */
  const before = useSignal('');
  const words = useSignal<readonly string[]>([]);
  const error = useSignal('');
  const log = useRef<HTMLDivElement>(null);

  const messages = Array.isArray(said) ? said.map((each) => show(each)) : [];
  const answer = words.value.join(' ');
  const isAsking = asking.value !== '' && before.value === messages.join('\n');
  useEffect(
    () => log.current?.scrollTo({ top: log.current.scrollHeight }),
    [messages.length, answer],
  );

  const say = async (message: string) => {
    if (message.trim() === '' || asking.value !== '') return;
    [asking.value, text.value, error.value] = [message, '', ''];
    before.value = messages.join('\n');
    try {
      // Were it delivered twice, it would be answered once.
      const id = `${Date.now()} ${Math.random()}`;
      const run = play.follow(client.with({ id }).run('answer', message), 'answer');
      for await (const word of run) words.value = [...words.value, word];
      await props.observed.read();
    } catch (thrown) {
      error.value = explain(thrown);
    } finally {
      [asking.value, words.value] = ['', []];
    }
  };

  const forget = async () => {
    try {
      await play.follow(client.run('forget'), 'forget');
      error.value = '';
    } catch (thrown) {
      error.value = explain(thrown);
    }
  };

  return (
    <div class="demo chat">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div ref={log} class="messages" role="log" aria-label="Chat" tabIndex={0}>
        {messages.map((message, index) => (
          <p key={index} class={index % 2 === 0 ? 'mine' : 'theirs'}>
            {message}
          </p>
        ))}
        {isAsking && <p class="mine">{asking.value}</p>}
        {isAsking && <p class="theirs">{answer || '…'}</p>}
      </div>
      <form
        class="say"
        onSubmit={(event) => {
          event.preventDefault();
          void say(text.value);
        }}
      >
        <input
          aria-label="Message"
          placeholder={messages.length === 0 ? 'Say hello' : 'Answer'}
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
          }}
        />
        <button type="submit" class="primary" disabled={asking.value !== ''}>
          Send
        </button>
        <button
          type="button"
          disabled={asking.value !== '' || messages.length === 0}
          onClick={() => void forget()}
        >
          Forget
        </button>
      </form>
      <p class="said error" role="status">
        {error.value}
      </p>
    </div>
  );
}
