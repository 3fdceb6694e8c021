import {
  closeSync,
  constants,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  type Stats,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { AgentConfig } from '../config.ts';
import { Failed } from './surroundings.ts';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** What an agent keeps in its folders. */
const log_names = /^(agent|[\w-]+-(app|signalling|instance))\.log(\.\w+)*$/;
const state_names = /^(lock|pid|control\.json|journal)(\.\w+)*$/;

/** Nothing there is anybody's but the system's, whatever config.json says: it is the agent's account that writes that file. */
const system_folders = [
  ...['/bin', '/boot', '/dev', '/etc', '/lib', '/lib64', '/proc', '/run', '/sbin', '/sys', '/usr'],
  '/var/spool',
];

const isBelow = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** The path without links. Those of root count, anybody else could have put one there for us to follow. Throws Failed. */
const realOf = (path: string): string => {
  let real = '/';
  for (const part of path.split('/').filter((word) => word !== '')) {
    const next = join(real, part);
    const found = lstatSync(next, { throwIfNoEntry: false });
    if (found?.isSymbolicLink() && found.uid !== 0)
      throw new Failed(
        `${next} is a link that is not root's, and ${path} leads through it: name the folder itself.`,
      );
    real = found?.isSymbolicLink() ? realpathSync(next) : next;
  }
  return real;
};

interface Folder {
  path: string;
  names: RegExp;
  /** What to do when it cannot be the agent's. */
  advice: string;
}

/** Opens the folder, which is made if need be. Throws Failed when it cannot be one of the agent's alone. */
const openFolder = ({ path, names, advice }: Folder, beside: string, uid: number): number => {
  const real = realOf(path);
  const chosen = isBelow(real, beside) && !system_folders.includes(beside);
  if (!chosen && system_folders.some((folder) => isBelow(real, folder)))
    throw new Failed(`${path} belongs to the system. ${advice}`);
  mkdirSync(real, { recursive: true });
  const fd = openSync(real, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    if (readlinkSync(insideOf(fd)) !== real) throw new Failed(`${path} has just been moved. Try again.`);
    const owner = fstatSync(fd).uid;
    if (owner === uid) return fd;
    if (owner !== process.getuid?.())
      throw new Failed(`${path} belongs to account ${owner}: chown it yourself. Or else: ${advice}`);
    const others = readdirSync(insideOf(fd)).filter((name) => !names.test(name));
    if (others.length === 0) return fd;
    throw new Failed(
      `${path} holds other things than the agent's (${others.slice(0, 3).join(', ')}). ${advice}`,
    );
  } catch (error) {
    closeSync(fd);
    throw error;
  }
};

/** By this path a folder is the one that was opened, whatever its name has become. */
const insideOf = (fd: number): string => `/proc/self/fd/${fd}`;

const isPlain = (found: Stats): boolean => found.isFile() && found.nlink === 1;

/** Gives one file away, if it is one of root's; whether it is the account's now. Another's, a link or a device is left alone. */
const giveFile = (path: string, uid: number): boolean => {
  if (!isPlain(lstatSync(path))) return false;
  const fd = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const found = fstatSync(fd);
    if (found.uid === uid) return true;
    if (!isPlain(found) || found.uid !== process.getuid?.()) return false;
    fchownSync(fd, uid, found.gid);
    return true;
  } finally {
    closeSync(fd);
  }
};

/**
 * Gives config.json and the agent's two folders, with what the agent keeps in them, to the account that it will run as. That
 * account may write there already, so no name is trusted: links are not followed, and what is not the agent's own stays
 * whose it is. The files that were left alone. Throws Failed, before anything is given, when a folder cannot be the agent's.
 */
export const giveAway = (
  uid: number,
  { file, config }: { file: string; config: Pick<AgentConfig, 'log_folder' | 'state_folder'> },
): string[] => {
  const beside = realOf(dirname(file));
  const folders: Folder[] = [
    {
      path: config.log_folder,
      names: log_names,
      advice: 'Choose another "log_folder" in config.json, /var/log/vitrina-agent for one.',
    },
    {
      path: config.state_folder,
      names: state_names,
      advice: 'Empty it, or have config.json in a folder of its own.',
    },
  ];
  const open: { fd: number; folder: Folder }[] = [];
  try {
    for (const folder of folders) open.push({ fd: openFolder(folder, beside, uid), folder });
    if (!giveFile(join(beside, basename(file)), uid))
      throw new Failed(`${file} is a link, or another account's: have the file itself there, owned by root.`);
    return open.flatMap(({ fd, folder: { path, names } }) => {
      const known = readdirSync(insideOf(fd)).filter((name) => names.test(name));
      const left = known.filter((name) => !giveFile(join(insideOf(fd), name), uid));
      fchownSync(fd, uid, fstatSync(fd).gid);
      return left.map((name) => join(path, name));
    });
  } finally {
    for (const { fd } of open) closeSync(fd);
  }
};
