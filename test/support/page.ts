/** A real Chromium page, for tests that serve a whole page instead of running inside one. */
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright';
import { chromeArgs, findChrome } from '../../scripts/find-tools.mjs';

/** Starts the Chromium that the tests found. */
export async function launchChrome(): Promise<Browser> {
  return chromium.launch(chromeOptions());
}

/** Starts it on a folder, where it finds and leaves what it stores. */
export async function launchProfile(
  folder: string,
  { args = [], without = [] }: ProfileOptions = {},
): Promise<BrowserContext> {
  const options = chromeOptions();
  return chromium.launchPersistentContext(folder, {
    ...options,
    args: [...options.args, ...args],
    ignoreDefaultArgs: [...without],
  });
}

/** Flags that a test needs, and flags of Playwright that it cannot do with. */
export interface ProfileOptions {
  readonly args?: readonly string[];
  readonly without?: readonly string[];
}

function chromeOptions(): { executablePath: string; args: string[] } {
  const executablePath = findChrome();
  if (!executablePath)
    throw new Error('no Chrome or Chromium: run `node scripts/setup.mjs chrome`');
  return { executablePath, args: chromeArgs };
}

/** A page with what it has printed so far. */
export interface Watched {
  readonly page: Page;
  /** `console.info` and `console.log`. */
  readonly lines: string[];
  /** Errors and warnings on the console, uncaught errors, requests that failed. */
  readonly faults: string[];
}

/** Opens a page and listens to it from the beginning. */
export async function watchPage(
  browser: Pick<Browser | BrowserContext, 'newPage'>,
  url: string,
): Promise<Watched> {
  const page = await browser.newPage();
  const lines: string[] = [];
  const faults: string[] = [];
  page.on('console', (message) => {
    if (['info', 'log'].includes(message.type())) lines.push(message.text());
    if (['error', 'warning'].includes(message.type())) faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('requestfailed', (request) => faults.push(`failed: ${request.url()}`));
  await page.goto(url);
  return { page, lines, faults };
}
