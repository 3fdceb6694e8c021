import { cpSync, createWriteStream, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Program, startProgram } from '../../scripts/program.ts';
import { debianRoot, within } from '../../shared/testing/debian-root.ts';

const root = resolve(import.meta.dir, '..', '..');
/** Where the programs are: a path with blanks and other letters than ours. */
const installed = 'Program Files\\Витрина агент';

/** How a program ended, and what it said. */
interface Ended {
  code: number;
  out: string;
  err: string;
}

/** A Windows in a folder of this machine, with the agent and a stand-in app installed. */
export interface Wine {
  /** Its drive C:, as this machine sees it. */
  readonly drive: string;
  /** The executables, as Windows calls them. */
  readonly agent: string;
  readonly app: string;
  /** `jobs.ts`. */
  readonly jobs: string;
  /** Runs a program of it with these words to its end. */
  run(program: string, ...words: string[]): Promise<Ended>;
  /** Starts `run` of an agent with that config.json; its log is read line by line. */
  start(program: string, config: string): Program;
  /** The processes of this machine that run an executable with all of these words in its command line. */
  pids(...words: string[]): number[];
  /** The words of one, with a blank between them. */
  commandLine(pid: number): string;
  /** Ends everything that runs in it. */
  end(): Promise<void>;
}

const commandLine = (pid: number | string): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
};
const runsWine = (pid: string): boolean => {
  try {
    return readlinkSync(`/proc/${pid}/exe`).includes('wine');
  } catch {
    return false;
  }
};

const words = async (stream: ReadableStream<Uint8Array>): Promise<string> =>
  (await new Response(stream).text()).replace(/.*XDG_RUNTIME_DIR.*\n/g, '').replaceAll('\r', '');

const built = async (entry: string, name: string): Promise<string> => {
  const outfile = join(root, '.cache', name);
  const target = ['--compile', '--target=bun-windows-x64', entry, '--outfile', outfile];
  if ((await Bun.spawn([process.execPath, 'build', ...target], { cwd: root, stdout: 'ignore' }).exited) !== 0)
    throw new Error(`${name} cannot be built`);
  return outfile;
};

/** Makes a Wine prefix in `folder`, within the Debian of the cache, which the first run makes. */
export const startWine = async (folder: string): Promise<Wine> => {
  const debian = await debianRoot({ suite: 'trixie', packages: ['wine', 'wine64'] });
  const build = [process.execPath, 'scripts/build.ts', 'session-agent-windows-x64'];
  if ((await Bun.spawn(build, { cwd: root, stdout: 'ignore' }).exited) !== 0)
    throw new Error('no executable');
  const app = await built('session-agent/testing/fake-app.ts', 'fake-app.exe');
  const jobs = await built('session-agent/testing/jobs.ts', 'jobs.exe');
  const environment = [
    ...[`HOME=${folder}`, `WINEPREFIX=${folder}/prefix`, 'WINEARCH=win64', 'WINEDEBUG=-all', 'LANG=C.UTF-8'],
    ...['PATH=/usr/bin:/bin', 'VITRINA_SERVICE=test'],
  ];
  const wine = (...command: string[]): string[] =>
    within(debian, folder, ['/usr/bin/env', '-i', ...environment, '/usr/bin/wine', ...command]);
  const boot = Bun.spawn(wine('wineboot', '--init'), { stdio: ['ignore', 'ignore', 'ignore'] });
  if ((await boot.exited) !== 0) throw new Error('Wine makes no Windows');
  const toEnd = async (...command: string[]): Promise<Ended> => {
    const child = Bun.spawn(wine(...command), { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
    const [out, err] = await Promise.all([words(child.stdout), words(child.stderr)]);
    return { code: await child.exited, out, err };
  };
  // Windows that nobody sees are windows all the same.
  await toEnd('reg', 'add', String.raw`HKCU\Software\Wine\Drivers`, '/v', 'Graphics', '/d', 'null', '/f');
  const drive = join(folder, 'prefix', 'drive_c');
  const place = join(drive, ...installed.split('\\'));
  mkdirSync(place, { recursive: true });
  cpSync(join(root, 'dist', 'session-agent-windows-x64.exe'), join(place, 'session-agent.exe'));
  cpSync(app, join(place, 'stand-in app.exe'));
  cpSync(jobs, join(place, 'jobs.exe'));
  const agent = `C:\\${installed}\\session-agent.exe`;
  const pids = (...wanted: string[]): number[] =>
    readdirSync('/proc')
      .filter(
        (pid) =>
          /^\d+$/.test(pid) && wanted.every((word) => commandLine(pid).includes(word)) && runsWine(pid),
      )
      .map(Number);
  return {
    drive,
    agent,
    app: `C:\\${installed}\\stand-in app.exe`,
    pids,
    commandLine,
    jobs: `C:\\${installed}\\jobs.exe`,
    run: toEnd,
    start: (program, config) =>
      startProgram(wine(program, 'run', '--config', config), {
        log: createWriteStream(join(folder, 'run.log'), { flags: 'a' }),
        environment: process.env,
      }),
    async end() {
      const end = within(debian, folder, ['/usr/bin/env', '-i', ...environment, '/usr/bin/wineserver', '-k']);
      await Bun.spawn(end, { stdio: ['ignore', 'ignore', 'ignore'] }).exited;
    },
  };
};
