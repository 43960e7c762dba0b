/** The fields of the example's state as they are stored, whoever writes them; each can be changed. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Observed, Origin } from '../model/observed.js';
import { Scroll } from './scroll.js';

const written: Record<Origin, string> = {
  inspector: 'by hand',
  task: 'by a task',
  elsewhere: 'elsewhere',
};

export function Inspector({ observed }: { readonly observed: Observed }) {
  const fields = Object.entries(observed.fields.value);
  const revision = observed.revision.value;
  const editing = useSignal('');
  const isEmpty = observed.stored.value.size === 0;
  return (
    <section class="inspector" aria-labelledby="inspector-title">
      <div class="bar">
        <h2 id="inspector-title">
          State <code>{observed.id}</code>
        </h2>
        <p class="revision" title="The revision that the storage gives: new with every commit">
          revision <code>{revision ?? 'none'}</code>
        </p>
        <button type="button" disabled={isEmpty} onClick={() => void observed.clear()}>
          Clear
        </button>
      </div>
      <Scroll label="Fields">
        <table>
          <thead>
            <tr>
              <th scope="col">field</th>
              <th scope="col">value</th>
              <th scope="col">written</th>
              <th scope="col">
                <span class="hidden">change</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {fields.map(([name, value]) => (
              <Row
                key={name}
                {...{ observed, name, value }}
                isEdited={editing.value === name}
                onEdit={(is) => {
                  editing.value = is ? name : '';
                }}
              />
            ))}
          </tbody>
        </table>
        {fields.length === 0 && <p class="empty">Nothing is stored.</p>}
      </Scroll>
      <p class="detail error" role="status">
        {observed.trouble.value}
      </p>
    </section>
  );
}

interface RowProps {
  readonly observed: Observed;
  readonly name: string;
  readonly value: unknown;
  readonly isEdited: boolean;
  readonly onEdit: (is: boolean) => void;
}

function Row({ observed, name, value, isEdited, onEdit }: RowProps) {
  const button = useRef<HTMLButtonElement>(null);
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        {isEdited ? (
          <Editor
            value={show(value)}
            name={name}
            onSave={(next) => void observed.set(name, next)}
            onEnd={() => {
              onEdit(false);
              button.current?.focus();
            }}
          />
        ) : (
          <code key={show(value)} class="value" title={show(value)}>
            {show(value)}
          </code>
        )}
      </td>
      <td class="quiet">{originOf(observed, name)}</td>
      <td class="actions">
        <button
          ref={button}
          type="button"
          aria-label={isEdited ? `Close the editor of ${name}` : `Edit ${name}`}
          onClick={() => onEdit(!isEdited)}
        >
          {isEdited ? 'Close' : 'Edit'}
        </button>
      </td>
    </tr>
  );
}

function originOf(observed: Observed, name: string): string {
  if (!observed.stored.value.has(name)) return 'initial';
  const origin = observed.origins.value[name];
  return origin ? written[origin] : 'earlier';
}

interface EditorProps {
  readonly name: string;
  readonly value: string;
  readonly onSave: (value: unknown) => void;
  readonly onEnd: () => void;
}

function Editor({ name, value, onSave, onEnd }: EditorProps) {
  const text = useSignal(value);
  const isWrong = parse(text.value) === undefined;
  const input = useRef<HTMLInputElement>(null);
  // Once: tasks draw it again with each of their writes.
  useEffect(() => input.current?.focus(), []);
  return (
    <form
      class="editor"
      onSubmit={(event) => {
        event.preventDefault();
        const parsed = parse(text.value);
        if (!parsed) return;
        onSave(parsed.value);
        onEnd();
      }}
    >
      <input
        ref={input}
        aria-label={`New value of ${name}, as JSON`}
        aria-invalid={isWrong}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => event.key === 'Escape' && onEnd()}
      />
      <button type="submit" disabled={isWrong}>
        Save
      </button>
    </form>
  );
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** As JSON, where it has one. */
function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
