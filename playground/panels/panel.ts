/** What every example's panel is given, and how it shows a run that has failed. */
import type { ReadonlySignal } from '@preact/signals';
import type { TaskClient } from 'qtasks-lite';
import { isQTasksError } from 'qtasks-lite';
import type { Tasks } from '../host/host.js';
import type { Observed } from '../model/observed.js';
import type { Playground, Stage } from '../model/playground.js';

export interface PanelProps {
  readonly play: Playground;
  readonly stage: Stage;
  /** The example's state, as it is right now. */
  readonly observed: Observed;
  /** Runs tasks in the session that is observed. */
  readonly client: TaskClient<Tasks>;
}

/** The fields of the state that a panel shows; reading them draws it again as they change. */
export function fieldsOf({ observed }: PanelProps): Readonly<Record<string, unknown>> {
  const fields: ReadonlySignal<Readonly<Record<string, unknown>>> = observed.fields;
  return fields.value;
}

/** A field as text: the inspector may have written anything there. */
export function show(value: unknown): string {
  return typeof value === 'string' ? value : String(JSON.stringify(value));
}

/** What a visitor is told of an error. */
export function explain(error: unknown): string {
  if (isQTasksError(error, 'INPUT_INVALID')) {
    return error.data.issues.map(({ message }) => message).join(' ');
  }
  const text = error instanceof Error ? error.message : String(error);
  return isQTasksError(error) ? `${error.code}: ${text}` : text;
}
