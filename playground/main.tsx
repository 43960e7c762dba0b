/// <reference types="vite/client" />
/** The page's entry. */
import { render } from 'preact';
import { Playground } from './model/playground.js';
import { Workbench } from './views/workbench.js';

const main = document.querySelector('main');
if (!main) throw new Error('index.html has no <main>');
render(<Workbench play={new Playground()} />, main);
