/** An empty project of an ordinary user with the packed library installed, for tests of what ships. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pkg from '../../package.json' with { type: 'json' };
import { isBuilt } from '../../scripts/prepare.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const exec = promisify(execFile);

/** A project in a folder of its own. */
export class Consumer {
  readonly dir: string;
  /** What the tarball holds. */
  readonly files: readonly string[];

  private constructor(dir: string, files: readonly string[]) {
    this.dir = dir;
    this.files = files;
  }

  /**
   * Packs the library and installs the tarball into a new project.
   * @param others what the project uses beside it
   */
  static async create(others: readonly string[] = []): Promise<Consumer> {
    if (!isBuilt()) throw new Error('dist is older than its sources: run `npm run build`');
    const dir = await mkdtemp(join(tmpdir(), 'qtasks-consumer-'));
    const [tarball] = JSON.parse(
      await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', dir], root),
    );
    await writeFile(join(dir, 'package.json'), '{ "private": true, "type": "module" }');
    // Its dependencies from where they are installed already, so that no registry is asked.
    const names = await withTheirs([...Object.keys(pkg.dependencies), ...others]);
    const dependencies = names.map((name) => join(root, 'node_modules', name));
    const install = [
      'install',
      '--offline',
      '--install-links',
      '--ignore-scripts',
      '--prefix',
      dir,
    ];
    await run('npm', [...install, join(dir, tarball.filename), ...dependencies], dir);
    const files = tarball.files.map(({ path }: { path: string }) => path);
    return new Consumer(dir, files);
  }

  /** Writes a file of the project; gives its whole path. */
  async write(path: string, text: string): Promise<string> {
    const file = join(this.dir, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    return file;
  }

  /** What is in a file of the project. */
  read(path: string): Promise<string> {
    return readFile(join(this.dir, path), 'utf8');
  }

  /** Lets the project use packages from where they are installed: large ones, which take long to copy. */
  async link(packages: readonly string[]): Promise<void> {
    for (const name of packages) {
      await symlink(join(root, 'node_modules', name), join(this.dir, 'node_modules', name));
    }
  }

  /** Runs a module in Node; gives the lines that it prints. */
  async node(path: string, ...args: string[]): Promise<string[]> {
    const printed = await run(process.execPath, [path, ...args], this.dir);
    return printed.split('\n').slice(0, -1);
  }

  /** Compiles with the settings that a careful user has; gives the compiler's complaints. */
  async tsc(include: readonly string[], settings: object = {}): Promise<string> {
    const compilerOptions = {
      target: 'es2022',
      lib: ['es2022', 'dom'],
      module: 'nodenext',
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      outDir: 'out',
      rootDir: '.',
      ...settings,
    };
    await this.write('tsconfig.json', JSON.stringify({ compilerOptions, include }));
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    return run(process.execPath, [tsc, '-p', '.'], this.dir).then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
  }

  async remove(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }
}

/** Packages and all that they depend on. */
async function withTheirs(packages: readonly string[]): Promise<readonly string[]> {
  const all = new Set(packages);
  for (const name of all) {
    const text = await readFile(join(root, 'node_modules', name, 'package.json'), 'utf8');
    for (const dependency of Object.keys(JSON.parse(text).dependencies ?? {})) all.add(dependency);
  }
  return [...all];
}

/** @throws where the command fails, with what it printed */
async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    const { stdout } = await exec(command, args, { cwd, maxBuffer: 2 ** 26 });
    return stdout;
  } catch (error) {
    const failure = error as Error & { stdout: string };
    failure.message += failure.stdout;
    throw failure;
  }
}
