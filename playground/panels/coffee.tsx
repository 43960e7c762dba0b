/** Two steps that share a machine and a state; the first thing that a visitor sees move. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { explain, fieldsOf, type PanelProps, show } from './panel.js';

let hasPlayed = false;

const refills = 100;

export function CoffeePanel(props: PanelProps) {
  const { play, client } = props;
  const { cups = 0, step = 'nothing yet' } = fieldsOf(props);
  const percent = useSignal(0);
  const isBusy = useSignal(false);
  const said = useSignal('');

  const busy = async (work: () => Promise<string>) => {
    isBusy.value = true;
    try {
      said.value = await work();
    } catch (error) {
      said.value = explain(error);
    } finally {
      isBusy.value = false;
    }
  };
  const make = async () => {
    percent.value = 0;
    said.value = 'Grinding: the machine opens, the task runs, the machine closes.';
    await play.follow(client.run('grind'), 'grind');
    said.value = 'Brewing: the task yields how far it is.';
    const run = play.follow(client.run('brew'), 'brew');
    for await (const value of run) percent.value = value;
    return 'Served. Both steps have shared one state, and each had a machine of its own.';
  };
  const refill = async () => {
    const start = performance.now();
    const runs = Array.from({ length: refills }, () => play.follow(client.run('refill'), 'refill'));
    await Promise.all(runs);
    return `${refills} calls at once took ${Math.ceil(performance.now() - start)} ms, and no cup is lost.`;
  };

  useEffect(() => {
    if (hasPlayed) return;
    hasPlayed = true;
    void busy(make);
  }, []);

  return (
    <div class="demo">
      <div class="figures">
        <p>
          <span class="figure">{show(cups)}</span> {cups === 1 ? 'cup' : 'cups'}
        </p>
        <p class="quiet">{show(step)}</p>
      </div>
      <progress max={100} value={percent.value} aria-label="Brewed" />
      <div class="buttons">
        <button
          type="button"
          class="primary"
          disabled={isBusy.value}
          onClick={() => void busy(make)}
        >
          Make a coffee
        </button>
        <button type="button" disabled={isBusy.value} onClick={() => void busy(refill)}>
          {refills} refills at once
        </button>
      </div>
      <p class="said" role="status">
        {said.value}
      </p>
    </div>
  );
}
