/** An import with progress: it can be cancelled, and goes on where it was left. */
import { useSignal } from '@preact/signals';
import type { Run } from 'qtasks-lite';
import { isQTasksError } from 'qtasks-lite';
import { explain, fieldsOf, type PanelProps, show } from './panel.js';

const pages = 8;

/** Of a worker that was killed; of a browser's lock the others hear at once. */
const hold = ' Redis keeps the hold of a dead worker for 30 seconds.';

export function PipelinePanel(props: PanelProps) {
  const { play, client } = props;
  const { app } = props.stage.host;
  const { store } = props.stage.choice;
  const { done, rows } = fieldsOf(props);
  const run = useSignal<Run<string, number> | undefined>(undefined);
  const said = useSignal('');
  const count = typeof done === 'number' ? Math.max(0, Math.min(done, pages)) : 0;

  const start = async () => {
    if (count >= pages) await props.observed.clear();
    const started = play.follow(client.run('import_pages', pages), 'import_pages');
    run.value = started;
    said.value = `Waiting for its turn: it is exclusive.${store === 'redis' ? hold : ''}`;
    const stop = app.on('run:start', (event) => {
      if (event.run === started.id) said.value = 'Running. Every third page fails at first.';
    });
    try {
      for await (const page of started) said.value = `Page ${page} of ${pages} is in.`;
      return `${await started} are in.`;
    } finally {
      stop();
    }
  };
  const follow = async () => {
    try {
      said.value = await start();
    } catch (error) {
      said.value = isQTasksError(error, 'WORKER_LOST')
        ? 'WORKER_LOST: the worker has died, and another one has taken its place.'
        : explain(error);
    } finally {
      run.value = undefined;
    }
  };

  const label = count === 0 ? 'Import' : count < pages ? 'Go on' : 'Import again';
  const isRunning = run.value !== undefined;
  return (
    <div class="demo">
      <div class="figures">
        <p>
          <span class="figure">{count}</span> of {pages} pages
        </p>
        <p class="quiet">{`${show(rows ?? 0)} rows`}</p>
      </div>
      <progress max={pages} value={count} aria-label="Pages imported" />
      <div class="buttons">
        <button type="button" class="primary" disabled={isRunning} onClick={() => void follow()}>
          <span key={label}>{label}</span>
        </button>
        <button
          type="button"
          disabled={!isRunning}
          onClick={() => run.value?.cancel(new Error('Cancelled by you.'))}
        >
          Cancel
        </button>
      </div>
      <p class="said" role="status">
        {said.value}
      </p>
    </div>
  );
}
