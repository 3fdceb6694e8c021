import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';

type Rights = Pick<Stats, 'mode' | 'uid' | 'gid'>;

/** Who looks: its number and those of its groups. */
interface Account {
  uid: number;
  groups: readonly number[];
}

/** Whether others than the owner can read or change such a file. The group does not count for who is no owner and reads by it. */
export const isShared = ({ mode, uid, gid }: Rights, self: Account): boolean => {
  const by_group = uid !== self.uid && self.groups.includes(gid);
  return (mode & (by_group ? 0o007 : 0o077)) !== 0;
};

/** "0644" */
export const rightsText = (mode: number): string => (mode & 0o777).toString(8).padStart(4, '0');

/**
 * "/etc/vitrina/config.json (0644)" of a file that others than its owner can read; undefined when they cannot, where it is not to be
 * seen, and on Windows, which has no such rights.
 */
export const sharedFile = async (file: string): Promise<string | undefined> => {
  if (process.getuid === undefined || process.getgroups === undefined || process.getgid === undefined)
    return undefined;
  const found = await stat(file).catch(() => undefined);
  const self = { uid: process.getuid(), groups: [process.getgid(), ...process.getgroups()] };
  return found !== undefined && isShared(found, self) ? `${file} (${rightsText(found.mode)})` : undefined;
};

/** What to say of such files, and what to do. */
export const sharedAdvice = 'others can read a secret: chmod 600, and let the account own it that needs it';
