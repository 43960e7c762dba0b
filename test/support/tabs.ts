/** Tabs of one origin, each in a process of its own that can be killed, for tests of what tabs share. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { BrowserContext, CDPSession, Page } from 'playwright';
import { launchProfile, type ProfileOptions } from './page.js';
import { alias, root } from './sources.js';

/** What a test needs beyond its modules. */
export interface TabsOptions extends ProfileOptions {
  /**
   * Modules by name, as paths from the root of the repository. Each is served as `/<name>.js`, for
   * workers, and `/<name>` is a page that loads it; `page` is the one that a tab loads by itself.
   */
  readonly modules: Readonly<Record<string, string>> & { readonly page: string };
}

/** One tab. */
export interface Tab {
  readonly page: Page;
  /** Of the process that runs its page. */
  readonly pid: number;
  /** Kills that process and closes what is left of the tab. */
  kill(): Promise<void>;
}

/** A browser on an empty profile on the disk, and a server of pages. */
export class Tabs {
  readonly url: string;
  readonly #server: Server;
  readonly #folder: string;
  readonly #options: TabsOptions;
  readonly #tabs = new Set<Tab>();
  #context: BrowserContext;
  #browser: CDPSession;

  static async launch(options: TabsOptions): Promise<Tabs> {
    const server = await serve(await bundle(options.modules));
    const folder = await mkdtemp(join(tmpdir(), 'qtasks-tabs-'));
    return new Tabs(options, server, folder, await launch(folder, options));
  }

  private constructor(options: TabsOptions, server: Server, folder: string, launched: Launched) {
    this.#options = options;
    this.#server = server;
    this.#folder = folder;
    this.#context = launched.context;
    this.#browser = launched.browser;
    this.url = `http://localhost:${(server.address() as AddressInfo).port}`;
  }

  get context(): BrowserContext {
    return this.#context;
  }

  /** Opens a tab, which no other tab shares its process with. */
  async open(url = `${this.url}/page`): Promise<Tab> {
    const page = await this.#context.newPage();
    await page.goto(url);
    const pid = await this.#pidOf(page);
    for (const other of this.#tabs) {
      if (other.pid === pid) throw new Error(`two tabs share process ${pid}`);
    }
    const tab: Tab = { page, pid, kill: () => this.#kill(tab) };
    this.#tabs.add(tab);
    page.on('close', () => this.#tabs.delete(tab));
    return tab;
  }

  async #kill({ page, pid }: Tab): Promise<void> {
    const crashed = page.waitForEvent('crash');
    process.kill(pid, 'SIGKILL');
    await crashed;
    await page.close();
  }

  /** Which process runs a page: nothing but a trace says so. */
  async #pidOf(page: Page): Promise<number> {
    // A process that has just begun may come too late for a trace.
    for (let trace = 0; trace < 20; trace++) {
      const pid = await this.#trace(page);
      if (pid !== undefined && (await this.pids('renderer')).includes(pid)) return pid;
    }
    throw new Error(`no trace of ${page.url()}`);
  }

  async #trace(page: Page): Promise<number | undefined> {
    const mark = `pid-${Math.random()}`;
    const events: { readonly name: string; readonly pid: number }[] = [];
    const collect = ({ value }: { value: object[] }): unknown =>
      events.push(...(value as typeof events));
    this.#browser.on('Tracing.dataCollected', collect);
    await this.#browser.send('Tracing.start', {
      transferMode: 'ReportEvents',
      traceConfig: { includedCategories: ['blink.user_timing'], excludedCategories: ['*'] },
    });
    await page.evaluate((name) => performance.mark(name), mark);
    const ended = new Promise((resolve) => this.#browser.once('Tracing.tracingComplete', resolve));
    await this.#browser.send('Tracing.end');
    await ended;
    this.#browser.off('Tracing.dataCollected', collect);
    return events.find(({ name }) => name === mark)?.pid;
  }

  /** The ids of the browser's processes of a kind, `renderer` or a service. */
  async pids(kind: string): Promise<number[]> {
    const { processInfo } = await this.#browser.send('SystemInfo.getProcessInfo');
    return processInfo.filter(({ type }) => type === kind).map(({ id }) => id);
  }

  /** Ends the browser, politely or not, and starts it again with what it has stored. */
  async restart(signal?: NodeJS.Signals): Promise<void> {
    const [pid] = await this.pids('browser');
    if (signal && pid !== undefined) {
      const closed = new Promise((resolve) => this.#context.once('close', resolve));
      process.kill(pid, signal);
      await closed;
    }
    await this.#context.close();
    const { context, browser } = await launch(this.#folder, this.#options);
    this.#context = context;
    this.#browser = browser;
  }

  async close(): Promise<void> {
    await this.#context.close();
    this.#server.closeAllConnections();
    this.#server.close();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Launched {
  readonly context: BrowserContext;
  readonly browser: CDPSession;
}

async function launch(folder: string, { args = [], without = [] }: ProfileOptions) {
  // Beyond a limit that depends on the memory, tabs of one site begin to share processes.
  const all = [...args, '--renderer-process-limit=100'];
  const context = await launchProfile(folder, { args: all, without });
  const browser = await context.browser()?.newBrowserCDPSession();
  if (!browser) throw new Error('a context without a browser');
  return { context, browser };
}

/** Bundles each module with all that it imports; gives the texts by path. */
async function bundle(modules: Readonly<Record<string, string>>): Promise<Map<string, string>> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    alias,
    entryPoints: Object.fromEntries(
      Object.entries(modules).map(([name, path]) => [name, join(root, path)]),
    ),
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    outdir: '/',
    logLevel: 'silent',
  });
  const texts = new Map<string, string>();
  for (const name of Object.keys(modules)) {
    const page = `<!doctype html><link rel="icon" href="data:,"><title>${name}</title><script type="module" src="/${name}.js"></script>`;
    texts.set(`/${name}`, page);
    texts.set(
      `/${name}.js`,
      outputFiles.find(({ path }) => path.endsWith(`/${name}.js`))?.text ?? '',
    );
  }
  return texts;
}

async function serve(texts: ReadonlyMap<string, string>): Promise<Server> {
  const server = createServer(({ url = '' }, response) => {
    const path = url.replace(/\?.*/, '');
    const text = texts.get(path);
    const type = path.endsWith('.js') ? 'text/javascript' : 'text/html';
    response.writeHead(text === undefined ? 404 : 200, {
      'Content-Type': `${type}; charset=utf-8`,
      // For frames without an origin of their own.
      'Access-Control-Allow-Origin': '*',
    });
    response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, resolve));
  return server;
}
