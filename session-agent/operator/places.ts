import { existsSync } from 'node:fs';
import { posix, win32 } from 'node:path';
import type { Surroundings } from './surroundings.ts';

type Where = Pick<Surroundings, 'platform' | 'environment' | 'itself'>;

const pathsOf = (platform: NodeJS.Platform) => (platform === 'win32' ? win32 : posix);

/** The folder of the machine's settings for programs of ours. */
const settingsFolder = ({ platform, environment }: Where): string =>
  platform === 'win32' ? win32.join(environment.ProgramData ?? 'C:\\ProgramData', 'Vitrina') : '/etc/vitrina';

/** Where config.json is when nobody says so, the first that is there: beside the executable, then at the usual place. */
const configPlaces = (where: Where): [beside: string, usual: string] => {
  const paths = pathsOf(where.platform);
  return [
    paths.join(paths.dirname(where.itself[0]), 'config.json'),
    paths.join(settingsFolder(where), 'config.json'),
  ];
};

/** The config.json that a command means: the given one, else one that is there, else where a new one belongs. */
export const configFile = (
  given: string | undefined,
  where: Where,
  exists: (file: string) => boolean = existsSync,
): string => {
  if (given !== undefined) return pathsOf(where.platform).resolve(given);
  const [beside, usual] = configPlaces(where);
  return exists(beside) ? beside : usual;
};

/** Logs and state that a new config.json names. Beside it, except where the system has places of its own for them. */
export const newFolders = (file: string, where: Where): { log_folder: string; state_folder: string } =>
  where.platform !== 'win32' && file === configPlaces(where)[1]
    ? { log_folder: '/var/log/vitrina-agent', state_folder: '/var/lib/vitrina-agent' }
    : { log_folder: 'logs', state_folder: 'state' };
