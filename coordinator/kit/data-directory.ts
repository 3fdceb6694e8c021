import { join } from 'node:path';
import type { Clock } from '../../shared/clock.ts';
import type { ConfigProblem } from '../../shared/config.ts';
import type { Log } from '../../shared/log.ts';
import { pictureNameSchema } from '../../shared/protocol/catalogue.ts';
import { watchedFile } from '../../shared/watched-file.ts';
import { openPictures } from '../catalogue/pictures.ts';
import { serversFileSchema } from '../catalogue/servers-file.ts';
import { systemDisk } from '../store/json/disk.ts';
import { secretFiles } from './secret-files.ts';
import { configurationSchema } from './settings.ts';
import type { Store } from './store.ts';

export interface JsonStoreOptions {
  /** The data directory. */
  directory: string;
  clock: Clock;
  log: Log;
}

/**
 * The store of stage one: servers.json, configuration.json and pictures/ in a directory, written by people and read
 * again every time_between_updates_seconds. Every problem of both files at once when they cannot be used.
 */
export const openJsonStore = async ({
  directory,
  clock,
  log,
}: JsonStoreOptions): Promise<Store | { problems: readonly ConfigProblem[] }> => {
  const configuration_file = join(directory, 'configuration.json');
  const servers = watchedFile(join(directory, 'servers.json'), serversFileSchema, log);
  const settings = watchedFile(configuration_file, configurationSchema, log);
  const secrets = secretFiles(directory, configuration_file, log);
  await Promise.all([servers.refresh(), settings.refresh()]);
  const [catalogue, configuration] = [servers.value(), settings.value()];
  const problems = () => [...servers.problems(), ...settings.problems(), ...secrets.problems()];
  if (configuration !== undefined) await secrets.refresh(configuration);
  if (catalogue === undefined || configuration === undefined || secrets.problems().length > 0) {
    return { problems: problems() };
  }

  const current = { catalogue, configuration };
  const listeners = new Set<() => void>();
  let reading: Promise<void> | undefined;
  let closed = false;
  const nextRead = () => clock.now() + current.configuration.time_between_updates_seconds * 1_000;
  let next = nextRead();

  const takeOver = () => {
    const { ip, port } = current.configuration;
    current.catalogue = servers.value() ?? current.catalogue;
    current.configuration = settings.value() ?? current.configuration;
    log.info({ servers: current.catalogue.servers.length }, 'the data directory has changed');
    if (ip !== current.configuration.ip || port !== current.configuration.port) {
      log.warn('ip and port of configuration.json take effect when the coordinator is started again');
    }
    for (const listener of listeners) listener();
  };
  const read = async (): Promise<void> => {
    try {
      const changed = await Promise.all([servers.refresh(), settings.refresh()]);
      const renewed = await secrets.refresh(settings.value() ?? current.configuration);
      if (!closed && (renewed || changed.includes(true))) takeOver();
    } catch (error) {
      log.error({ error }, 'reading the data directory failed');
    }
    reading = undefined;
    next = nextRead();
  };
  const refresh = (): Promise<void> => {
    reading ??= read();
    return reading;
  };

  return {
    catalogue: () => current.catalogue,
    configuration: () => current.configuration,
    secret: secrets.value,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async picture(name) {
      if (!pictureNameSchema.safeParse(name).success) return undefined;
      const file = Bun.file(join(directory, 'pictures', name));
      if (await file.exists()) return file;
      log.warn({ picture: name }, 'the picture is not in pictures/');
      return undefined;
    },
    pictures: openPictures(directory, systemDisk),
    health() {
      if (!servers.readable() || !settings.readable()) {
        return { ok: false, note: 'the data directory cannot be read; its last good content is in force' };
      }
      return problems().length === 0
        ? { ok: true }
        : { ok: true, note: 'an edit is broken, the last good content is in force; the log says where' };
    },
    tick() {
      if (!closed && clock.now() >= next) void refresh();
    },
    refresh,
    close() {
      closed = true;
      listeners.clear();
    },
  };
};
