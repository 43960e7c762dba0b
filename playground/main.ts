/// <reference types="vite/client" />
/** The page: shows the tasks beside what they print when the page itself runs them. */
import { runExamples } from './examples.js';
import { highlight } from './highlight.js';
import source from './tasks.ts?raw';

const find = (id: string): HTMLElement => {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no element #${id}`);
  return element;
};
const output = find('output');
const button = find('run') as HTMLButtonElement;

function print(line: string): void {
  console.info(line);
  const row = document.createElement('span');
  row.className = /^Example \d/.test(line) ? 'title' : /^\[/.test(line) ? 'log' : 'line';
  row.textContent = `${line}\n`;
  output.append(row);
}

async function run(): Promise<void> {
  button.disabled = true;
  output.replaceChildren();
  output.setAttribute('aria-busy', 'true');
  try {
    await runExamples(print);
  } finally {
    output.setAttribute('aria-busy', 'false');
    button.disabled = false;
  }
}

find('source').replaceChildren(...highlight(source));
button.addEventListener('click', () => void run());
await run();
