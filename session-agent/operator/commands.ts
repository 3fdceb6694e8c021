import { resolve } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { describeProblem } from '../../shared/config.ts';
import { type AgentConfig, readAgentConfig, stateFolderOf } from '../config.ts';
import { instanceOf } from '../instance-note.ts';
import type { AgentStatus } from '../status.ts';
import { addApp, listApps, removeApp } from './apps.ts';
import { askStatus } from './control.ts';
import { enroll } from './enroll.ts';
import { type Exchange, exchange, exchange_command, exchangeSchema } from './exchange.ts';
import { alone, change_ms } from './file-lock.ts';
import { install, uninstall } from './install.ts';
import { showLogs } from './logs.ts';
import { monitor } from './monit.ts';
import { configFile } from './places.ts';
import { Failed, type Surroundings, type Terminal, wordsOf } from './surroundings.ts';
import { update } from './update.ts';
import { isWell, statusLines } from './view.ts';

/** A command, what it was asked, and its exit code: 0 well, 1 not, 2 asked wrongly. */
type Command = (args: string[], surroundings: Terminal) => Promise<number>;

/** The command line cannot be understood. */
class Misused extends Error {}

const config_option = { config: { type: 'string' } } as const;

/** Options and words of a command; Misused beyond `words` words, or when an option is none. */
const understand = <O extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: O,
  words: number,
) => {
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    if (positionals.length <= words) return { values, positionals };
  } catch (error) {
    throw new Misused(error instanceof Error ? error.message : String(error));
  }
  throw new Misused('one word too many');
};

const needed = (text: string | undefined, what: string): string => {
  if (text === undefined) throw new Misused(`${what} is missing`);
  return text;
};

/** config.json as it is now; Failed, with every problem, when it cannot be used. */
const readConfig = async (
  given: string | undefined,
  surroundings: Surroundings,
): Promise<{ file: string; config: AgentConfig }> => {
  const file = configFile(given, surroundings);
  const read = await readAgentConfig(file);
  if ('value' in read) return { file, config: read.value };
  throw new Failed(read.problems.map(describeProblem).join('\n'));
};

const none_runs =
  'No agent runs here. Start it: "session-agent install", or "session-agent run" in a terminal.';

/** The agent of this config.json, which runs on whatever has become of the file; or why there is none to be seen. */
const lookAt = async (file: string): Promise<AgentStatus | string[]> => {
  const status = await askStatus(stateFolderOf(file));
  if (status !== undefined) return status;
  const read = await readAgentConfig(file);
  return [`${none_runs} (${file})`, ...('problems' in read ? read.problems.map(describeProblem) : [])];
};

const showStatus: Command = async (args, surroundings) => {
  const { values } = understand(args, { ...config_option, json: { type: 'boolean' } }, 0);
  const status = await lookAt(configFile(values.config, surroundings));
  if (Array.isArray(status)) throw new Failed(status.join('\n'));
  if (values.json) surroundings.say(JSON.stringify(status, null, 2));
  else for (const line of statusLines(status, surroundings.clock.now())) surroundings.say(line);
  return status.link.state === 'connected' ? 0 : 1;
};

const showMonitor: Command = async (args, surroundings) => {
  const { values } = understand(args, config_option, 0);
  const file = configFile(values.config, surroundings);
  await monitor(async () => {
    const status = await lookAt(file);
    if (Array.isArray(status)) return { lines: status, well: false };
    return { lines: statusLines(status, surroundings.clock.now()), well: isWell(status) };
  }, surroundings);
  return 0;
};

const isId = (arg: string): boolean => /^[\w-]{22}$/.test(arg);

const showLog: Command = async (args, surroundings) => {
  const options = { ...config_option, follow: { type: 'boolean', short: 'f' } } as const;
  // An id may begin with a dash.
  const ids = args.filter(isId);
  const { values, positionals } = understand(
    args.filter((arg) => !isId(arg)),
    options,
    1 - ids.length,
  );
  // The running agent writes to the folder that it was started with, whatever config.json says by now.
  const running = await askStatus(stateFolderOf(configFile(values.config, surroundings)));
  const folder = running?.log_folder ?? (await readConfig(values.config, surroundings)).config.log_folder;
  const [asked] = [...ids, ...positionals];
  // The note may be missing: of a session that an older agent began, or that began on a full disk.
  const live = (running?.instances ?? []).filter(({ session_id }) => session_id === asked);
  const noted = asked === undefined ? [] : [asked, ...instanceOf(folder, asked)];
  const names = asked === undefined ? [] : [...noted, ...live.map(({ instance_id }) => instance_id)];
  const stop = showLogs(folder, names, values.follow === true, surroundings);
  if (values.follow) await new Promise<void>((resolve) => endOnKey(surroundings, resolve));
  stop();
  return 0;
};

const endOnKey = (surroundings: Terminal, done: () => void): void => {
  const stop = surroundings.keys((key) => {
    if (key !== 'q' && key !== '\u0003') return;
    stop();
    done();
  });
};

/** Options may stand before the app's own words only: what follows them belongs to the app. */
const headOf = (args: readonly string[], words: number): number => {
  let at = 0;
  for (let left = words; left > 0 && at < args.length; ) {
    const arg = args[at] ?? '';
    if (!arg.startsWith('--')) left -= 1;
    at += arg.startsWith('--') && !arg.includes('=') ? 2 : 1;
  }
  return at;
};

/** Changes config.json as it is now, while no other command does; the file. */
const changing = async (
  given: string | undefined,
  surroundings: Surroundings,
  change: (found: { file: string; config: AgentConfig }) => void | Promise<void>,
): Promise<string> => {
  const { file } = await readConfig(given, surroundings);
  await alone(file, change_ms, surroundings, async () => change(await readConfig(file, surroundings)));
  return file;
};

const apps: Command = async ([action, ...args], surroundings) => {
  const { say } = surroundings;
  if (action === 'list') {
    const { values } = understand(args, config_option, 0);
    const { file, config } = await readConfig(values.config, surroundings);
    for (const line of await listApps(config)) say(line);
    if (config.apps.length === 0) say(`${file} has no apps yet.`);
    return 0;
  }
  if (action === 'add') {
    const head = headOf(args, 2);
    const options = { ...config_option, engine: { type: 'string' } } as const;
    const { values, positionals } = understand(args.slice(0, head), options, 2);
    const given = args.slice(head);
    const app = {
      rc_name: needed(positionals[0], 'the name of the app'),
      path: needed(positionals[1], 'the path of its executable'),
      arguments: given[0] === '--' ? given.slice(1) : given,
      engine: values.engine,
    };
    const file = await changing(values.config, surroundings, (found) => addApp(found, app));
    say(`"${app.rc_name}" is in ${file}. A running agent takes it up within seconds.`);
    return 0;
  }
  if (action === 'remove') {
    const { values, positionals } = understand(args, config_option, 1);
    const rc_name = needed(positionals[0], 'the name of the app');
    const file = await changing(values.config, surroundings, (found) => removeApp(found, rc_name));
    say(`"${rc_name}" is no longer in ${file}. Its live sessions go on.`);
    return 0;
  }
  throw new Misused('the commands are apps list, apps add NAME PATH [arguments...], apps remove NAME');
};

const enrolHere: Command = async (args, surroundings) => {
  const options = { ...config_option, token: { type: 'string' }, ca: { type: 'string' } } as const;
  const { values, positionals } = understand(args, options, 1);
  await enroll(
    {
      coordinator: needed(positionals[0], 'the address of the coordinator'),
      token: needed(values.token, '--token'),
      file: configFile(values.config, surroundings),
      ca_file: values.ca === undefined ? undefined : resolve(values.ca),
    },
    surroundings,
  );
  return 0;
};

const installHere: Command = async (args, surroundings) => {
  const texts = { user: { type: 'string' }, folder: { type: 'string' } } as const;
  const { values } = understand(args, { ...config_option, ...texts, print: { type: 'boolean' } }, 0);
  const { user, folder, print = false } = values;
  await install({ ...(await readConfig(values.config, surroundings)), user, folder, print }, surroundings);
  return 0;
};

const uninstallHere: Command = async (args, surroundings) => {
  const { values } = understand(args, { folder: { type: 'string' } }, 0);
  await uninstall(values.folder, surroundings);
  return 0;
};

const longest_wait_seconds = 3_600;

const updateHere: Command = async (args, surroundings) => {
  const texts = { sha256: { type: 'string' }, wait: { type: 'string', default: '60' } } as const;
  const options = { ...config_option, ...texts, 'no-restart': { type: 'boolean' } } as const;
  const { values, positionals } = understand(args, options, 1);
  const seconds = Number(values.wait);
  if (!(seconds >= 1 && seconds <= longest_wait_seconds)) {
    throw new Misused(`--wait is a number of seconds from 1 to ${longest_wait_seconds}`);
  }
  if (values.sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(values.sha256)) {
    throw new Misused('--sha256 is 64 hexadecimal digits');
  }
  const source = needed(positionals[0], 'the file or address of the new release');
  const { config } = await readConfig(values.config, surroundings).catch((error: unknown) => {
    // An agent that is started now would not get further, either.
    throw new Failed(`config.json has to be mended before an update:\n${wordsOf(error)}`);
  });
  const restart = values['no-restart'] !== true;
  await update(
    { source, sha256: values.sha256, config, restart, patience_ms: seconds * 1_000 },
    surroundings,
  );
  return 0;
};

const exchangeHere: Command = async ([text = ''], surroundings) => {
  let order: Exchange;
  try {
    order = exchangeSchema.parse(JSON.parse(text));
  } catch {
    throw new Misused(`"${exchange_command}" is for "update" to say`);
  }
  surroundings.say(await exchange(order, surroundings));
  return 0;
};

const commands: Readonly<Record<string, Command>> = {
  enroll: enrolHere,
  install: installHere,
  uninstall: uninstallHere,
  status: showStatus,
  monit: showMonitor,
  logs: showLog,
  apps,
  update: updateHere,
  [exchange_command]: exchangeHere,
};

/** Runs one of the operator's commands; its exit code, or undefined when there is none of that name. */
export const operate = async (
  name: string,
  args: string[],
  surroundings: Terminal,
): Promise<number | undefined> => {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  try {
    return await command?.(args, surroundings);
  } catch (error) {
    if (!(error instanceof Misused || error instanceof Failed)) throw error;
    const misused = error instanceof Misused;
    surroundings.complain(misused ? `${error.message}: "session-agent help" shows how` : error.message);
    return misused ? 2 : 1;
  }
};
