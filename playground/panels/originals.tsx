/** The two examples that `npm start` prints in Node, printed here by the same tasks. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { printExamples } from '../print-examples.js';
import { explain, type PanelProps } from './panel.js';

function kindOf(line: string): string {
  return /^Example \d/.test(line) ? 'title' : line.startsWith('[') ? 'log' : 'line';
}

export function OriginalsPanel({ play, stage, client }: PanelProps) {
  const isBusy = useSignal(true);
  const output = useRef<HTMLPreElement>(null);
  const run = async () => {
    isBusy.value = true;
    play.printed.value = [];
    try {
      await printExamples(client, play.print);
    } catch (error) {
      play.print(explain(error));
    } finally {
      isBusy.value = false;
    }
  };
  useEffect(() => void run(), [stage]);

  return (
    <div class="demo originals">
      <pre
        id="output"
        ref={output}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        tabIndex={0}
        role="log"
        aria-label="Output"
        aria-busy={isBusy.value}
      >
        {play.printed.value.map((line, index) => (
          <span key={index} class={kindOf(line)}>{`${line}\n`}</span>
        ))}
      </pre>
      <div class="buttons">
        <button type="button" class="primary" disabled={isBusy.value} onClick={() => void run()}>
          Run again
        </button>
      </div>
    </div>
  );
}
