/** The command line as it is built, in a process of its own; from the folder of the project. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import pkg from '../../package.json' with { type: 'json' };

/** Arguments, and all that is in the environment. */
export interface Started {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `qtasks-lite`. */
export function startProgram({ args = [], env = {} }: Started): ChildProcess {
  const { PATH = '' } = process.env;
  return spawn(process.execPath, [pkg.bin['qtasks-lite'], ...args], {
    env: { PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** `qtasks-lite redis-proxy` that listens. */
export class ProxyProcess {
  readonly url: URL;
  readonly child: ChildProcess;
  /** What it has printed so far. */
  readonly lines: readonly string[];

  private constructor(url: URL, child: ChildProcess, lines: readonly string[]) {
    this.url = url;
    this.child = child;
    this.lines = lines;
  }

  /** Starts one before a Redis, on a port that is free unless `args` say which. */
  static async start(redis: string, { args = [], env = {} }: Started): Promise<ProxyProcess> {
    const all = ['redis-proxy', '--redis', redis, '--port', '0', ...args];
    const child = startProgram({ args: all, env });
    const lines: string[] = [];
    let faults = '';
    child.stderr?.on('data', (data) => {
      faults += data;
    });
    const url = await new Promise<string>((resolve, reject) => {
      child.on('exit', () => reject(new Error(`the proxy has ended: ${faults}`)));
      if (!child.stdout) return;
      createInterface(child.stdout).on('line', (line) => {
        lines.push(line);
        if (line.includes('"listening"')) resolve(JSON.parse(line).url);
      });
    });
    return new ProxyProcess(new URL(url), child, lines);
  }

  /** Ends it at once, in the middle of whatever it does. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}
