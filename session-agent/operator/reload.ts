import type { Clock } from '../../shared/clock.ts';
import { describeProblem } from '../../shared/config.ts';
import type { Log } from '../../shared/log.ts';
import { watchedFile } from '../../shared/watched-file.ts';
import { type AgentConfig, configSchema, located } from '../config.ts';

const look_ms = 2_000;

export interface ReloadOptions {
  file: string;
  /** What is in force now. */
  config: AgentConfig;
  clock: Clock;
  log: Log;
  /** Takes a new configuration into force. */
  apply(config: AgentConfig): Promise<void>;
}

/** Follows config.json while the agent runs. */
export interface Reload {
  /** What is wrong with the file now, or keeps it from being in force. */
  problems(): string[];
  /** Looks at once, and not only when it is due. */
  look(): Promise<void>;
  stop(): void;
}

/** By these the agent knows its own children and files: they are those that it was started with. */
const fixed = ['server_name', 'log_folder'] as const;

const restart_text =
  'takes effect when the agent is started again; nothing of the file is in force until then';

/** Takes changes of config.json into force. A file that is broken leaves the last good one in force, and is logged. */
export const followConfig = ({ file, config, clock, log, apply }: ReloadOptions): Reload => {
  const watched = watchedFile(file, configSchema, log);
  let held: string | undefined;
  let known = JSON.stringify(config);
  let looking: Promise<void> | undefined;

  const take = async (): Promise<void> => {
    if (!(await watched.refresh())) return;
    const value = watched.value();
    if (value === undefined) return;
    const fresh = located(value, file);
    const changed = fixed.filter((key) => fresh[key] !== config[key]);
    held = changed.length === 0 ? undefined : `${file}: ${changed.join(', ')} ${restart_text}`;
    if (held !== undefined) return log.warn({ file, keys: changed }, restart_text);
    const text = JSON.stringify(fresh);
    if (text === known) return;
    known = text;
    log.info(
      { file, apps: fresh.apps.length, seats: fresh.seats },
      'config.json has changed and is in force',
    );
    await apply(fresh);
  };
  const look = (): Promise<void> => {
    looking ??= take()
      .catch((error: unknown) => log.error({ error, file }, 'the new configuration cannot be taken'))
      .finally(() => {
        looking = undefined;
      });
    return looking;
  };
  const stop = clock.every(look_ms, () => void look());
  return {
    problems: () => [...watched.problems().map(describeProblem), ...(held === undefined ? [] : [held])],
    look,
    stop,
  };
};
