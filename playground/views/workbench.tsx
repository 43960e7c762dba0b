/** The page: what is chosen, the example, and the views of what happens. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Playground } from '../model/playground.js';
import { type Example, examples } from '../panels/catalogue.js';
import { GraphView } from './graph.js';
import { Inspector } from './inspector.js';
import { Metrics } from './metrics.js';
import { SourceView } from './source.js';
import { Note, Switches } from './switches.js';
import { Timeline } from './timeline.js';
import { useObserved } from './use-observed.js';
import { Workers } from './workers.js';

export function Workbench({ play }: { readonly play: Playground }) {
  const example = useExample();
  const stage = play.stage.value;
  const isNobodys = example.isNobodys === true && stage?.choice.store !== 'redis';
  const session = isNobodys ? '' : (stage?.session ?? '');
  const observed = useObserved(stage, example.state, session);
  const client = isNobodys ? stage?.host.app : stage?.host.app.session(stage.session);
  const { Panel } = example;
  return (
    <>
      <div class="top">
        <Switches play={play} />
        <Workers host={stage?.host} />
        <Note play={play} />
      </div>
      <nav aria-label="Examples">
        {examples.map(({ id, title }) => (
          <a key={id} href={`#${id}`} aria-current={id === example.id ? 'page' : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <div class="views">
        <SourceView file={example.file} load={example.source} choice={play.choice.value} />
        <section class="example" aria-labelledby="example-title" aria-busy={!stage}>
          <div class="bar">
            <h2 id="example-title">{example.title}</h2>
          </div>
          <p class="about">{example.about}</p>
          {stage && observed && client && (
            <Panel key={example.id} {...{ play, stage, observed, client }} />
          )}
        </section>
        {observed ? (
          <Inspector key={observed.id} observed={observed} />
        ) : (
          <section class="inspector" aria-busy="true">
            <div class="bar">
              <h2>State</h2>
            </div>
          </section>
        )}
        <Timeline recorder={play.recorder} />
        <GraphView names={example.tasks} recorder={play.recorder} />
        <Metrics recorder={play.recorder} />
      </div>
    </>
  );
}

/** The example that the address names. */
function useExample(): Example {
  const hash = useSignal(location.hash);
  useEffect(() => {
    const read = (): void => {
      hash.value = location.hash;
    };
    addEventListener('hashchange', read);
    return () => removeEventListener('hashchange', read);
  }, [hash]);
  return examples.find(({ id }) => `#${id}` === hash.value) ?? examples[0];
}
