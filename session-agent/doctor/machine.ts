import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { counted } from '../../shared/counted.ts';
import { rightsText, sharedFile } from '../../shared/file-rights.ts';
import { type AgentConfig, launchProblem, ports_per_session } from '../config.ts';
import { isFree } from '../ports.ts';
import { readersOf } from '../processes/acl.ts';
import { fail, type Line, ok, skip, warn } from './line.ts';

/** How much of a disk is free, and in units of how many bytes. */
type LookAtDisk = (folder: string) => Promise<{ bavail: number; bsize: number }>;

const LITTLE_MB = 2_048;
const NONE_MB = 200;

/** Whether each configured app could be launched now. */
export const checkApps = async ({ apps, apps_folders }: AgentConfig): Promise<Line[]> => {
  if (apps.length === 0) return [warn('apps', 'there are none', 'session-agent apps add NAME PATH')];
  return Promise.all(
    apps.map(async (app) => {
      const name = `app ${app.rc_name}`;
      const problem = await launchProblem(app, apps_folders);
      return problem === undefined
        ? ok(name, app.path)
        : fail(name, problem, 'Install it there, or correct the path in config.json.');
    }),
  );
};

/** How many ports of the configured range are free; those of running sessions are not. */
export const checkPorts = async ({ ports: { from, to }, seats }: AgentConfig): Promise<Line> => {
  let free = 0;
  for (let port = from; port <= to; port++) if (await isFree(port)) free += 1;
  const needed = seats * ports_per_session;
  const found = `${free} of ${counted(to - from + 1, 'port')} from ${from} to ${to} ${free === 1 ? 'is' : 'are'} free`;
  return free >= needed
    ? ok('ports', found)
    : warn(
        'ports',
        `${found}, and ${seats === 1 ? '1 seat needs' : `${seats} seats need`} ${needed}`,
        'Right if sessions run now; otherwise another program has them: choose another range in config.json.',
      );
};

/** The nearest folder on the way to `path` that is there. */
const nearestFolder = async (path: string): Promise<string> => {
  const there = await stat(path).catch(() => undefined);
  const parent = dirname(path);
  return there?.isDirectory() === true || parent === path ? path : nearestFolder(parent);
};

/** `unwritten` says what a full disk there means. */
const checkFolder = async (
  name: string,
  path: string,
  unwritten: string,
  look: LookAtDisk,
): Promise<Line> => {
  const folder = await nearestFolder(path);
  const where = folder === path ? path : `${path} (to be made in ${folder})`;
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    return fail(name, `${where}: ${String(error)}`, 'Let the user of the agent write there.');
  }
  try {
    const { bavail, bsize } = await look(folder);
    const free_mb = Math.floor((bavail * bsize) / 1_048_576);
    const found = `${where}: ${free_mb} MB free`;
    if (free_mb < NONE_MB) return fail(name, found, `Free space: ${unwritten}.`);
    return free_mb < LITTLE_MB ? warn(name, found, 'Free space before it runs out.') : ok(name, found);
  } catch (error) {
    return warn(name, `${where}: free space unknown (${String(error)})`, 'Look at that disk yourself.');
  }
};

/** Space and rights where the agent writes. */
export const checkDisk = (
  { log_folder, state_folder }: Pick<AgentConfig, 'log_folder' | 'state_folder'>,
  look: LookAtDisk = statfs,
): Promise<Line[]> =>
  Promise.all([
    checkFolder('log folder', log_folder, 'sessions cannot write their logs', look),
    checkFolder('state folder', state_folder, 'no session can be noted, and none begins', look),
  ]);

const checkAcl = async (file: string, system_root: string | undefined): Promise<Line> => {
  const advice = `icacls "${file}" /inheritance:r /grant:r *S-1-5-18:F *S-1-5-32-544:F, and /grant the account of the service`;
  try {
    const readers = await readersOf(file, system_root);
    return readers.length === 0
      ? ok('rights', `${file} is for named accounts only`)
      : warn('rights', `others can read the key in ${file} (${readers.join(', ')})`, advice);
  } catch (error) {
    return skip('rights', `not looked at on Windows: ${String(error)}`, advice);
  }
};

/** Whether only its owner can read the file that holds the key. */
export const checkRights = async (
  file: string,
  platform: NodeJS.Platform,
  system_root?: string,
): Promise<Line> => {
  if (platform === 'win32') return checkAcl(file, system_root);
  const shared = await sharedFile(file);
  return shared === undefined
    ? ok('rights', `${file} is for its owner only (${rightsText((await stat(file)).mode)})`)
    : warn('rights', `others can read the key in ${shared}`, `chmod 600 ${file}`);
};
