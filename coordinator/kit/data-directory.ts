import { join } from 'node:path';
import type { Clock } from '../../shared/clock.ts';
import type { ConfigProblem } from '../../shared/config.ts';
import type { Log } from '../../shared/log.ts';
import { type WatchedFile, watchedFile } from '../../shared/watched-file.ts';
import { type SecretName, secretFiles } from './secret-files.ts';
import { type Configuration, configurationSchema } from './settings.ts';

/** What an operator has set: configuration.json, and the secrets whose files it names. */
export interface Settings {
  configuration(): Configuration;
  /** The content of a file that the configuration names; undefined when it names none. */
  secret(name: SecretName): string | undefined;
  /** Calls `listener` after a change of what is watched. The function returned stops that. */
  onChange(listener: () => void): () => void;
  /** Whether the data directory can be read now, and a note for the operator when something is wrong with it. */
  health(): { readonly ok: boolean; readonly note?: string };
  /** Looks at what is due. */
  tick(): void;
  /** Takes what stands there now into force, without waiting for the interval. Never rejects. */
  refresh(): Promise<void>;
  close(): void;
}

export interface DataDirectory {
  directory: string;
  clock: Clock;
  log: Log;
}

/**
 * Reads configuration.json again every time_between_updates_seconds, and with it another file `beside` it. Every problem of both files
 * at once when they cannot be used.
 */
export const openSettings = async (
  { directory, clock, log }: DataDirectory,
  beside: WatchedFile<unknown>,
): Promise<Settings | { problems: readonly ConfigProblem[] }> => {
  const configuration_file = join(directory, 'configuration.json');
  const settings = watchedFile(configuration_file, configurationSchema, log);
  const secrets = secretFiles(directory, configuration_file, log);
  await Promise.all([beside.refresh(), settings.refresh()]);
  const first = settings.value();
  const problems = () => [...beside.problems(), ...settings.problems(), ...secrets.problems()];
  if (first !== undefined) await secrets.refresh(first);
  if (beside.value() === undefined || first === undefined || secrets.problems().length > 0) {
    return { problems: problems() };
  }

  let configuration = first;
  const listeners = new Set<() => void>();
  let reading: Promise<void> | undefined;
  let closed = false;
  const nextRead = () => clock.now() + configuration.time_between_updates_seconds * 1_000;
  let next = nextRead();

  const takeOver = () => {
    const { ip, port } = configuration;
    configuration = settings.value() ?? configuration;
    log.info('the data directory has changed');
    if (ip !== configuration.ip || port !== configuration.port) {
      log.warn('ip and port of configuration.json take effect when the coordinator is started again');
    }
    for (const listener of listeners) listener();
  };
  const read = async (): Promise<void> => {
    try {
      const changed = await Promise.all([beside.refresh(), settings.refresh()]);
      const renewed = await secrets.refresh(settings.value() ?? configuration);
      if (!closed && (renewed || changed.includes(true))) takeOver();
    } catch (error) {
      log.error({ error }, 'reading the data directory failed');
    }
    reading = undefined;
    next = nextRead();
  };
  const refresh = async (): Promise<void> => {
    if (closed) return;
    reading ??= read();
    await reading;
  };

  return {
    configuration: () => configuration,
    secret: secrets.value,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    health() {
      if (!beside.readable() || !settings.readable()) {
        return { ok: false, note: 'the data directory cannot be read; its last good content is in force' };
      }
      return problems().length === 0
        ? { ok: true }
        : { ok: true, note: 'an edit is broken, the last good content is in force; the log says where' };
    },
    tick() {
      if (clock.now() >= next) void refresh();
    },
    refresh,
    close() {
      closed = true;
      listeners.clear();
    },
  };
};
