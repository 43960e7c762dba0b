/** The examples of the page, in the order of their tabs. */

import type { FunctionComponent } from 'preact';
import { AsyncState } from 'qtasks-lite';
import type { StateClass } from '../model/observed.js';
import { Coffee, Dialogue, Import, Registration } from '../tasks/all.js';
import { ChatbotPanel } from './chatbot.js';
import { CoffeePanel } from './coffee.js';
import { OriginalsPanel } from './originals.js';
import type { PanelProps } from './panel.js';
import { PipelinePanel } from './pipeline.js';
import { RegistrationPanel } from './registration.js';

export interface Example {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  /** Where its tasks are, and what they say. */
  readonly file: string;
  readonly source: () => Promise<{ readonly default: string }>;
  /** Of its tasks, by their names. */
  readonly tasks: readonly string[];
  readonly state: StateClass;
  /** Runs in the default session, whose lines name none: not in Redis, where a token opens only the visitor's. */
  readonly isNobodys?: boolean;
  readonly Panel: FunctionComponent<PanelProps>;
}

/** The state of tasks.ts, which keeps its class to itself. */
class MyState extends AsyncState<{ state: string; step: number; prompt: string }> {
  static readonly id = 'my_state';
}

export const examples: readonly [Example, ...Example[]] = [
  {
    id: 'coffee',
    title: 'Coffee',
    about: 'Two steps: what each needs is opened and closed around it, what both know is a state.',
    file: 'coffee.ts',
    source: () => import('../tasks/coffee.ts?raw'),
    tasks: ['grind', 'brew', 'refill'],
    state: Coffee,
    Panel: CoffeePanel,
  },
  {
    id: 'registration',
    title: 'Registration',
    about: 'A form in steps. Reload the page, or go on in a second tab.',
    file: 'registration.ts',
    source: () => import('../tasks/registration.ts?raw'),
    tasks: ['enter_name', 'enter_phone', 'submit', 'start_over'],
    state: Registration,
    Panel: RegistrationPanel,
  },
  {
    id: 'chatbot',
    title: 'Chatbot',
    about: 'A dialogue is a state; its answers stream word by word.',
    file: 'chatbot.ts',
    source: () => import('../tasks/chatbot.ts?raw'),
    tasks: ['answer', 'forget'],
    state: Dialogue,
    Panel: ChatbotPanel,
  },
  {
    id: 'pipeline',
    title: 'Pipeline',
    about: 'A task of tasks with progress, retries and cancel. Kill its worker, and go on.',
    file: 'pipeline.ts',
    source: () => import('../tasks/pipeline.ts?raw'),
    tasks: ['import_pages', 'extract', 'load'],
    state: Import,
    Panel: PipelinePanel,
  },
  {
    id: 'originals',
    title: 'Examples 1 and 2',
    about: 'What npm start prints in Node, printed by the same module here.',
    file: 'tasks.ts',
    source: () => import('../tasks.ts?raw'),
    tasks: ['test_depends', 'step1', 'step2'],
    state: MyState,
    isNobodys: true,
    Panel: OriginalsPanel,
  },
];
