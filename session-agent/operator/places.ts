import { existsSync } from 'node:fs';
import { join, posix, win32 } from 'node:path';
import { stateFolderOf, usual_file } from '../config.ts';
import { control_name } from './control.ts';
import type { Surroundings } from './surroundings.ts';

type Where = Pick<Surroundings, 'platform' | 'environment' | 'itself'>;

const pathsOf = (platform: NodeJS.Platform) => (platform === 'win32' ? win32 : posix);

const usualPlace = ({ platform, environment }: Where): string =>
  platform === 'win32'
    ? win32.join(environment.ProgramData ?? 'C:\\ProgramData', 'Vitrina', 'config.json')
    : usual_file;

/** Where config.json is when nobody says so, the first that is there: beside the executable, then at the usual place. */
const configPlaces = (where: Where): [beside: string, usual: string] => {
  const paths = pathsOf(where.platform);
  return [paths.join(paths.dirname(where.itself[0]), 'config.json'), usualPlace(where)];
};

/** The config.json that a command means: the given one, else one that is there, else where a new one belongs. */
export const configFile = (
  given: string | undefined,
  where: Where,
  exists: (file: string) => boolean = existsSync,
): string => {
  if (given !== undefined) return pathsOf(where.platform).resolve(given);
  const [beside, usual] = configPlaces(where);
  // The file may be lost while its agent runs: then it is still the one that is meant.
  const runs = () => exists(join(stateFolderOf(beside), control_name)) && !exists(usual);
  return exists(beside) || runs() ? beside : usual;
};

/** The folder for logs that a new config.json names: beside it, except where the system has a place of its own for them. */
export const newLogFolder = (file: string): string =>
  file === usual_file ? '/var/log/vitrina-agent' : 'logs';
