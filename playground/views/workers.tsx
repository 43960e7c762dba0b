/** The workers that tasks run in; each can be killed, to see what becomes of its runs. */
import type { Host } from '../host/host.js';

export function Workers({ host }: { readonly host: Host | undefined }) {
  const workers = host?.workers ?? [];
  return (
    <section class="workers" aria-label="Workers">
      {workers.length === 0 && <p class="quiet">{host ? 'No workers: the page itself.' : '…'}</p>}
      {workers.map(({ state }, index) => (
        <p key={index} class={`worker ${state.value}`}>
          <span class="worker-name">{`worker ${index} ${state.value}`}</span>
          <button
            type="button"
            aria-label={`Kill worker ${index}`}
            disabled={state.value !== 'ready'}
            onClick={() => host?.kill(index)}
          >
            Kill
          </button>
        </p>
      ))}
    </section>
  );
}
