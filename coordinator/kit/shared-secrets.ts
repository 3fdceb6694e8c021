import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { sharedFile } from '../../shared/file-rights.ts';
import { secretPaths } from './secret-files.ts';
import type { Configuration } from './settings.ts';

/** Shown around: it only names the files of secrets. */
const open_file = 'configuration.json';
/** servers.json has the hosts' keys; the tables have hashes, tokens and the keys that sign them, and so have the journals. */
const secret_names = /\.jsonl?$/;

/**
 * The files of the coordinator that hold secrets and that others than their owner can read, each with its rights: of the data directory,
 * and those that configuration.json names. A servers.json without hosts (`has_hosts`) has no keys.
 */
export const sharedSecrets = async (
  directory: string,
  configuration: Configuration,
  has_hosts: boolean,
): Promise<string[]> => {
  const names = (await readdir(directory).catch(() => [])).filter(
    (name) => secret_names.test(name) && name !== open_file && (name !== 'servers.json' || has_hosts),
  );
  const files = [...names, ...secretPaths(configuration)].map((name) => resolve(directory, name));
  const found = await Promise.all([...new Set(files)].sort().map(sharedFile));
  return found.filter((file) => file !== undefined);
};
