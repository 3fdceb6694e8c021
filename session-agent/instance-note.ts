import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../shared/log.ts';
import type { AgentConfig } from './config.ts';

/**
 * Output files are named after instances, and a session that takes a warm one has another id: this file beside them says
 * which. `pruneOutputs` takes it for one of them.
 */
const noteFile = (log_folder: string, session_id: string): string =>
  join(log_folder, `${session_id}-instance.log`);

/** Notes which instance a session has got. The session does without when the disk does not take it. */
export const noteInstance = (
  { config: { log_folder }, log }: { config: Pick<AgentConfig, 'log_folder'>; log: Log },
  session_id: string,
  instance_id: string,
): void => {
  try {
    writeFileSync(noteFile(log_folder, session_id), `${instance_id}\n`, { mode: 0o640 });
  } catch (error) {
    log.warn({ session: session_id, instance: instance_id, error }, '"logs" will not find this session');
  }
};

/** The instance that was noted for the session, if one was. */
export const instanceOf = (log_folder: string, session_id: string): string[] => {
  if (!/^[\w-]+$/.test(session_id)) return [];
  try {
    return [readFileSync(noteFile(log_folder, session_id), 'utf8').trim()];
  } catch {
    // Most sessions have an instance of their own id.
    return [];
  }
};
