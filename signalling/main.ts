import { chmod, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { systemClock } from '../shared/clock.ts';
import { sharedAdvice, sharedFile } from '../shared/file-rights.ts';
import { hearBreak } from '../shared/hear-break.ts';
import { systemIds } from '../shared/ids.ts';
import { limits } from '../shared/limits.ts';
import { createLog, type Log, type LogLevel } from '../shared/log.ts';
import type { SocketData } from '../shared/socket.ts';
import { version } from '../shared/version.ts';
import { type Config, loadConfig } from './config.ts';
import { listeners } from './http/listener.ts';
import { openPorts } from './http/ports.ts';
import { keyboardCommand } from './keyboard.ts';
import { createLogFiles } from './log-files.ts';
import { savedOptions, secretFiles, withoutSecrets } from './options.ts';
import { createMemoryStore } from './peers/memory-store.ts';
import { peerQuotas } from './peers/quotas.ts';
import { createPeerServer, type PeerServer } from './peers/server.ts';
import type { PeerStore } from './peers/store.ts';
import { createSignalling, type Signalling } from './server.ts';

const levels: Record<Config['options']['log_level_console'], LogLevel> = {
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  error: 'error',
};

/** Standard output, and a file a day when there is a folder for it. */
const openLog = ({ options }: Config): Log => {
  const level = levels[options.log_level_console];
  const console_log = createLog('signalling', level);
  if (options.log_folder === '') return console_log;
  const failed = (error: unknown) =>
    console_log.error({ error, log_folder: options.log_folder }, 'cannot write the log file');
  const { write } = createLogFiles(options.log_folder, systemClock, failed);
  return createLog('signalling', level, undefined, { level: levels[options.log_level_file], write });
};

/** Resolves with what ended the program: a signal, or `q` typed with --stdin. */
const stopped = (config: Config, signalling: Signalling, log: Log): Promise<string> =>
  new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
    // How an agent on Windows asks.
    process.once('SIGBREAK', resolve);
    hearBreak();
    if (!config.options.stdin) return;
    createInterface({ input: process.stdin }).on('line', (line) => {
      if (keyboardCommand(line, config, signalling, log) === 'stop') resolve('q');
    });
  });

/** In Redis if there is one. Its client is loaded only then: each session's start waits for its signalling. */
const openStore = async ({ redis_url }: Config['options'], log: Log): Promise<PeerStore> => {
  if (redis_url === '') return createMemoryStore();
  const { openRedisStore } = await import('./peers/redis-store.ts');
  return openRedisStore(redis_url, systemClock, log);
};

const openPeers = async ({ options, broadcast_tokens }: Config, log: Log): Promise<PeerServer> => {
  const per_second = options.max_messages_per_second;
  return createPeerServer({
    store: await openStore(options, log),
    clock: systemClock,
    ids: systemIds,
    log,
    rate: { per_second, burst: per_second * (limits.messages_burst / limits.messages_per_second) },
    broadcast_tokens,
    quotas: peerQuotas(options),
  });
};

/** The file may hold tokens and secrets: it is for its owner's eyes. */
const save = async (options: Config['options']): Promise<void> => {
  const text = `${JSON.stringify(savedOptions(options), undefined, 2)}\n`;
  await writeFile(options.config_file, text, { mode: 0o600 });
  await chmod(options.config_file, 0o600);
};

/** The named files that hold secrets and that others can read, each with its rights. */
const sharedSecrets = async (options: Config['options']): Promise<string[]> => {
  const found = await Promise.all(secretFiles(options).map(sharedFile));
  return found.filter((file) => file !== undefined);
};

const serve = async (config: Config, warnings: string[]): Promise<number> => {
  const { options } = config;
  const log = openLog(config);
  for (const warning of warnings) log.warn({}, warning);
  if (options.save) await save(options);
  for (const file of await sharedSecrets(options)) log.warn({ file }, sharedAdvice);
  if (options.log_config) log.info({ config: withoutSecrets(options) }, 'options');
  const signalling = createSignalling(config, systemClock, log);
  const peers = await openPeers(config, log);
  const all = listeners(config, signalling, systemClock, log, peers);
  const listening = openPorts(all, options.bind, log, Bun.serve<SocketData>);
  if (listening === undefined) {
    peers.stop();
    return 1;
  }
  const { opened, address } = listening;
  const ports = Object.fromEntries(all.map(({ option }, at) => [option, opened[at]?.port]));
  log.info({ bind: address, ...ports }, 'listening');
  const by = await stopped(config, signalling, log);
  signalling.stop();
  peers.stop();
  await Promise.all(opened.map((server) => server.stop(true)));
  log.info({ by }, 'stopped');
  return 0;
};

/** The whole program: reads the options, serves until SIGINT, SIGTERM or (Windows) Ctrl-Break, answers with the exit code. */
export const runSignalling = async (
  args: string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> => {
  const loaded = await loadConfig(args, env);
  if ('help' in loaded) {
    process.stdout.write(loaded.help);
    return 0;
  }
  if ('version' in loaded) {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  if ('problems' in loaded) {
    createLog('signalling').error({ problems: loaded.problems }, 'the options are not valid; see --help');
    return 1;
  }
  return serve(loaded.config, loaded.warnings);
};

if (import.meta.main) process.exit(await runSignalling(process.argv.slice(2), process.env));
