import { join } from 'node:path';
import type { ConfigProblem } from '../../shared/config.ts';
import { watchedFile } from '../../shared/watched-file.ts';
import { type DataDirectory, openSettings, type Settings } from '../kit/data-directory.ts';
import type { Services } from '../kit/services.ts';
import { systemDisk } from '../store/json/disk.ts';
import type { FileCatalogue } from './file-catalogue.ts';
import { openPictures, type Pictures } from './pictures.ts';
import { serversFileSchema } from './servers-file.ts';

/** What people write of apps and hosts into the data directory. */
export interface CatalogueFiles {
  /** What servers.json says now. */
  servers(): FileCatalogue;
  readonly pictures: Pictures;
}

/** The services of whoever reads those files. */
export interface CatalogueServices extends Services {
  readonly files: CatalogueFiles;
}

/**
 * What people write into the data directory: servers.json, configuration.json and pictures/, read again while the coordinator
 * runs. Every problem of both files at once when they cannot be used.
 */
export const openDataDirectory = async (
  where: DataDirectory,
): Promise<{ settings: Settings; files: CatalogueFiles } | { problems: readonly ConfigProblem[] }> => {
  const servers = watchedFile(join(where.directory, 'servers.json'), serversFileSchema, where.log);
  const settings = await openSettings(where, servers);
  if ('problems' in settings) return settings;
  const none: FileCatalogue = { servers: [], apps: new Map(), hosts: new Map() };
  const pictures = openPictures(where.directory, systemDisk, where.log);
  return { settings, files: { servers: () => servers.value() ?? none, pictures } };
};
