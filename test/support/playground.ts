/** The playground as `npm start` serves it, and pages of it in Chromium. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { isBuilt } from '../../scripts/prepare.mjs';
import { launchChrome, watchPage } from './page.js';
import { root } from './sources.js';

declare global {
  interface Window {
    /** What has been moved, each time that something was, but for what an input has asked for. */
    shifts: string[][];
  }
}

export const places = ['page', 'worker', 'pool'] as const;
export const stores = ['memory', 'indexeddb', 'localstorage', 'redis'] as const;

export type Example = 'coffee' | 'registration' | 'chatbot' | 'pipeline' | 'originals';

/** `npm start`, running. */
export class PlaygroundServer {
  readonly #process: ChildProcess;
  #printed = '';

  /** @param env on top of this process's own */
  static async start(env: Readonly<Record<string, string>> = {}): Promise<PlaygroundServer> {
    if (!isBuilt()) throw new Error('dist is older than its sources: run `npm run build`');
    const server = new PlaygroundServer(env);
    const isUp = vi.waitFor(() => expect(server.#printed).toMatch(/Redis|redis-server/), {
      timeout: 30_000,
    });
    const ended = once(server.#process, 'exit').then(([code]) => {
      throw new Error(`npm start has ended with ${code}`);
    });
    // Whichever is second is nobody's concern.
    isUp.catch(() => {});
    ended.catch(() => {});
    await Promise.race([isUp, ended]);
    return server;
  }

  private constructor(env: Readonly<Record<string, string>>) {
    this.#process = spawn(process.execPath, ['scripts/start.mjs'], {
      cwd: root,
      env: { ...process.env, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#process.stdout?.on('data', (chunk) => {
      this.#printed += stripVTControlCharacters(String(chunk));
    });
  }

  get printed(): string {
    return this.#printed;
  }

  get url(): string {
    return /http:\S+/.exec(this.#printed)?.[0] ?? '';
  }

  /** Ends it as Ctrl-C does; gives its exit code and signal. */
  async stop(): Promise<unknown[]> {
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    return exited;
  }
}

/** `npm start` and a browser, for the tests of one file. */
export class PlaygroundStage {
  #server: PlaygroundServer | undefined = undefined;
  #browser: Browser | undefined = undefined;

  constructor() {
    beforeAll(async () => {
      [this.#server, this.#browser] = await Promise.all([PlaygroundServer.start(), launchChrome()]);
    });
    afterAll(async () => {
      await this.#browser?.close();
      await this.#server?.stop();
    });
  }

  get url(): string {
    return this.#server?.url ?? '';
  }

  /** Opens a page for a visitor who was never there. */
  open(opening: Opening): Promise<PlaygroundPage> {
    if (!this.#browser) throw new Error('there is no browser before the tests');
    return PlaygroundPage.open(this.#browser, this.url, opening);
  }
}

/** Where tasks run, where states live, and what is shown. */
export interface Opening {
  readonly run?: (typeof places)[number];
  readonly state?: (typeof stores)[number];
  readonly example?: Example;
  /** Whether the timeline moves with every frame. Default: with every event. */
  readonly isMoving?: boolean;
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** A page of the playground, with what a visitor does there. */
export class PlaygroundPage {
  readonly page: Page;
  readonly lines: readonly string[];
  readonly #faults: readonly string[];

  /** Opens it for a visitor who was never there. */
  static async open(browser: Browser, url: string, opening: Opening): Promise<PlaygroundPage> {
    const { isMoving = false, viewport } = opening;
    const context = await browser.newContext({
      // Pages that draw every frame take the time of the others.
      reducedMotion: isMoving ? 'no-preference' : 'reduce',
      ...(viewport ? { viewport } : {}),
    });
    await context.addInitScript(recordShifts);
    const { page, lines, faults } = await watchPage(context, addressOf(url, opening));
    return new PlaygroundPage(page, lines, faults);
  }

  constructor(page: Page, lines: readonly string[] = [], faults: readonly string[] = []) {
    this.page = page;
    this.lines = lines;
    this.#faults = faults;
  }

  /** Without the streams that were ended: one of more channels takes the place of each. */
  get faults(): readonly string[] {
    return this.#faults.filter((fault) => !/^failed: \S+\/redis\/subscribe\//.test(fault));
  }

  async show(example: Example): Promise<void> {
    await this.page.locator(`nav a[href="#${example}"]`).click();
  }

  async click(name: string | RegExp): Promise<void> {
    await this.page.getByRole('button', { name }).click();
  }

  /**
   * Clicks a button and, in the page itself, others as soon as a text is there: on a busy machine it would
   * be gone until a click came from here.
   */
  async clickThrough(first: string, text: string, others: string): Promise<void> {
    await this.page.evaluate(
      ({ text, others }) => {
        const look = (): void => {
          if (!document.body.textContent?.includes(text)) return;
          observer.disconnect();
          for (const button of document.querySelectorAll('button')) {
            if (button.textContent?.trim() === others) button.click();
          }
        };
        const observer = new MutationObserver(look);
        observer.observe(document.body, { subtree: true, childList: true, characterData: true });
      },
      { text, others },
    );
    await this.click(first);
  }

  /** Waits until the page shows a text somewhere. */
  async sees(text: string | RegExp, timeout = 30_000): Promise<void> {
    await this.page.getByText(text).first().waitFor({ timeout });
  }

  /** A row of the state inspector, once the field has this value there. */
  async field(name: string, value: string): Promise<void> {
    const row = this.page.getByRole('row').filter({
      has: this.page.getByRole('rowheader', { name, exact: true }),
    });
    await row.getByText(value, { exact: true }).waitFor();
  }

  /** One of the counters. */
  async counter(name: string): Promise<number> {
    const count = this.page.locator('.counters div').filter({ hasText: name }).locator('dd');
    return Number(await count.textContent());
  }

  shifts(): Promise<string[][]> {
    return this.page.evaluate(() => window.shifts);
  }

  /** What the timeline says of each run. */
  runs(): Promise<string[]> {
    return this.page
      .getByRole('option')
      .evaluateAll((runs) => runs.map((run) => run.getAttribute('aria-label') ?? ''));
  }
}

/** Runs in the page, before anything of it. */
function recordShifts(): void {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (!('hadRecentInput' in entry && 'sources' in entry) || entry.hadRecentInput) continue;
      const sources = Array.isArray(entry.sources) ? entry.sources : [];
      window.shifts.push(
        sources.map(({ node }) =>
          node instanceof Element ? node.outerHTML.slice(0, 80) : String(node?.nodeValue),
        ),
      );
    }
  }).observe({ type: 'layout-shift', buffered: true });
}

export function addressOf(url: string, { run, state, example }: Opening): string {
  const query = new URLSearchParams({ ...(run ? { run } : {}), ...(state ? { state } : {}) });
  return `${url}?${query}#${example ?? ''}`;
}
