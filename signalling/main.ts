import { systemClock } from '../shared/clock.ts';
import { createLog, type Log, type LogLevel } from '../shared/log.ts';
import { type Config, loadConfig } from './config.ts';
import { type Listener, listeners } from './http.ts';
import { createSignalling } from './server.ts';

const levels: Record<Config['options']['log_level_console'], LogLevel> = {
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  error: 'error',
};

type Listening = ReturnType<typeof Bun.serve>;

const open = (listener: Listener): Listening => {
  const { hostname, port, fetch, websocket } = listener;
  return Bun.serve({ hostname, port, fetch, websocket });
};

/** Opens every port or none. A taken port is the operator's to solve: the log says which and how. */
const openAll = (all: Listener[], log: Log): Listening[] | undefined => {
  const opened: Listening[] = [];
  for (const listener of all) {
    const { role, hostname, port } = listener;
    try {
      opened.push(open(listener));
    } catch (error) {
      log.error(
        { role, hostname, port, error },
        `cannot listen on ${hostname}:${port}; choose another --${role}_port`,
      );
      for (const server of opened) server.stop(true);
      return undefined;
    }
  }
  return opened;
};

const stopSignal = (): Promise<NodeJS.Signals> =>
  new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });

const serve = async (config: Config): Promise<number> => {
  const log = createLog('signalling', levels[config.options.log_level_console]);
  const signalling = createSignalling(config, systemClock, log);
  const all = listeners(config, signalling, systemClock, log);
  const opened = openAll(all, log);
  if (opened === undefined) return 1;
  const ports = Object.fromEntries(all.map(({ role }, i) => [`${role}_port`, opened[i]?.port]));
  log.info({ bind: config.options.bind, ...ports }, 'listening');
  const signal = await stopSignal();
  signalling.stop();
  await Promise.all(opened.map((server) => server.stop(true)));
  log.info({ signal }, 'stopped');
  return 0;
};

/** The whole program: reads the options, serves until SIGINT or SIGTERM, answers with the exit code. */
export const runSignalling = async (
  args: string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> => {
  const loaded = await loadConfig(args, env);
  if ('help' in loaded) {
    process.stdout.write(loaded.help);
    return 0;
  }
  if ('problems' in loaded) {
    createLog('signalling').error({ problems: loaded.problems }, 'the options are not valid; see --help');
    return 1;
  }
  return serve(loaded.config);
};

if (import.meta.main) process.exit(await runSignalling(process.argv.slice(2), process.env));
