/** Watches one state on the storage that is chosen, as long as both stay. */
import { useEffect, useState } from 'preact/hooks';
import { Observed, type StateClass } from '../model/observed.js';
import type { Stage } from '../model/playground.js';

export function useObserved(
  stage: Stage | undefined,
  stateClass: StateClass,
  session: string,
): Observed | undefined {
  const [observed, setObserved] = useState<Observed>();
  useEffect(() => {
    if (!stage) return;
    const { host, storage } = stage;
    const opened = new Observed(stateClass, { storage, session });
    setObserved(opened);
    const stop = host.app.on('state:change', ({ state, changed, deleted, origin }) => {
      if (state === opened.id && origin === 'local') opened.writtenByTask([...changed, ...deleted]);
    });
    return () => {
      setObserved(undefined);
      stop();
      void opened.close();
    };
  }, [stage, stateClass, session]);
  return observed?.id === stateClass.id ? observed : undefined;
}
