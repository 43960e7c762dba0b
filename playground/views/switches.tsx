/** Chooses where tasks run and where their states live. */
import { type Place, places, type Store, stores } from '../host/choice.js';
import { poolSize } from '../host/open.js';
import type { Playground } from '../model/playground.js';

const placeNames: Record<Place, string> = {
  page: 'Page',
  worker: 'Worker',
  pool: `Pool of ${poolSize}`,
};

const storeNames: Record<Store, string> = {
  memory: 'Memory',
  indexeddb: 'IndexedDB',
  localstorage: 'localStorage',
  redis: 'Redis',
};

const storeNotes: Record<Store, string> = {
  memory: 'as long as this page',
  indexeddb: 'in this browser, for all of its tabs',
  localstorage: 'in this browser, for all of its tabs',
  redis: 'on the server, by a token for this visitor alone',
};

export function Switches({ play }: { readonly play: Playground }) {
  const { place, store } = play.choice.value;
  return (
    <div class="switches">
      <fieldset>
        <legend>Tasks run in</legend>
        <div class="segments">
          {places.map((each) => (
            <label key={each}>
              <input
                type="radio"
                name="place"
                value={each}
                checked={each === place}
                onChange={() => play.choose({ place: each })}
              />
              <span>{placeNames[each]}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <fieldset>
        <legend>States live in</legend>
        <div class="segments">
          {stores.map((each) => {
            const reason = play.whyNot(each);
            return (
              <label key={each} title={reason}>
                <input
                  type="radio"
                  name="store"
                  value={each}
                  checked={each === store}
                  disabled={reason !== undefined}
                  aria-describedby={reason === undefined ? undefined : 'why-not'}
                  onChange={() => play.choose({ store: each })}
                />
                <span>{storeNames[each]}</span>
              </label>
            );
          })}
        </div>
      </fieldset>
    </div>
  );
}

export function Note({ play }: { readonly play: Playground }) {
  const { store } = play.choice.value;
  const reason = play.whyNot('redis');
  const trouble = play.trouble.value;
  return (
    <div class="notes">
      <p role="status" class={trouble && 'error'}>
        {trouble || `${storeNames[store]}: ${storeNotes[store]}.`}
      </p>
      {reason !== undefined && <p id="why-not">No Redis: {reason}</p>}
    </div>
  );
}
