import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The last commit before the schema changed for the first time. */
const pinned = '901cf10dff74e3d3283ec53757b044c90a6cda53';

const root = resolve(import.meta.dir, '..', '..');
const folder = join(root, '.cache', `release-${pinned.slice(0, 7)}`);

export interface Release {
  readonly coordinator: string;
  readonly agent: string;
}

const run = async (command: string[], cwd: string): Promise<boolean> =>
  (await Bun.spawn(command, { cwd, stdout: 'ignore', stderr: 'ignore' }).exited) === 0;

/** The executables of the release before, built once from its commit; undefined where the history does not reach so far. */
export const releaseBefore = async (): Promise<Release | undefined> => {
  const dist = join(folder, 'dist');
  const release = {
    coordinator: join(dist, 'coordinator-linux-x64'),
    agent: join(dist, 'session-agent-linux-x64'),
  };
  if (existsSync(release.coordinator) && existsSync(release.agent)) return release;
  if (!(await run(['git', 'cat-file', '-e', `${pinned}^{commit}`], root))) return undefined;
  // Named like that when it is whole: a run that was interrupted leaves nothing that passes for it.
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  const unpack = `git -C "$0" archive ${pinned} | tar -x -C "$1"`;
  if (!(await run(['sh', '-c', unpack, root, unfinished], root))) throw new Error('git archive failed');
  // It wants nothing that today's packages do not have.
  symlinkSync(join(root, 'node_modules'), join(unfinished, 'node_modules'));
  const build = [process.execPath, 'scripts/build.ts', 'coordinator-linux-x64', 'session-agent-linux-x64'];
  if (!(await run(build, unfinished))) throw new Error('the release before cannot be built');
  rmSync(folder, { recursive: true, force: true });
  renameSync(unfinished, folder);
  return release;
};
