/** The module of tasks, and the few lines that say where it runs. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Choice } from '../host/choice.js';
import { hostSource, type Source } from '../host/sources.js';
import { highlight } from './highlight.js';
import { Scroll } from './scroll.js';

export interface SourceViewProps {
  readonly file: string;
  readonly load: Source['load'];
  readonly choice: Choice;
}

export function SourceView({ file, load, choice }: SourceViewProps) {
  const isHost = useSignal(false);
  const code = useRef<HTMLPreElement>(null);
  const host = hostSource(choice);
  const shown = isHost.value ? host : { file, load };

  useEffect(() => {
    let isOld = false;
    void shown.load().then(({ default: source }) => {
      if (isOld) return;
      code.current?.replaceChildren(...highlight(source));
      code.current?.parentElement?.scrollTo(0, 0);
    });
    return () => {
      isOld = true;
    };
  }, [shown.file]);

  const tab = (is: boolean, name: string) => (
    <button
      type="button"
      class="file"
      aria-pressed={isHost.value === is}
      onClick={() => {
        isHost.value = is;
      }}
    >
      {name}
    </button>
  );
  return (
    <section class="source" aria-labelledby="source-title">
      <div class="bar">
        <h2 id="source-title" class="hidden">
          Source
        </h2>
        <div class="files">
          {tab(false, file)}
          {tab(true, host.file)}
        </div>
        <p class="quiet">{isHost.value ? 'where it runs' : 'the same file everywhere'}</p>
      </div>
      <Scroll label={shown.file}>
        <pre id="source" ref={code} />
      </Scroll>
    </section>
  );
}
