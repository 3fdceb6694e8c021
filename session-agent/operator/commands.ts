import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { handle } from '../../shared/command-line.ts';
import type { Asked, Handlers } from '../../shared/commands.ts';
import { describeProblem } from '../../shared/config.ts';
import type { AgentCommands } from '../commands.ts';
import { type AgentConfig, readAgentConfig, stateFolderOf } from '../config.ts';
import { instanceOf } from '../instance-note.ts';
import type { AgentStatus } from '../status.ts';
import { addApp, listApps, removeApp } from './apps.ts';
import { askStatus } from './control.ts';
import { tellDraining } from './drain.ts';
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

/** The commands that an operator types, beside those that run the agent itself. */
type OperatorCommands = Omit<AgentCommands, 'run' | 'doctor' | 'signalling'>;
/** Each command with what it was given; its exit code is 0 when all is well. */
type Rows = Handlers<OperatorCommands, [Terminal]>;

/** config.json as it is now; Failed, with every problem, when it cannot be used. */
const readConfig = async (
  given: string | undefined,
  surroundings: Surroundings,
): Promise<{ file: string; config: AgentConfig }> => {
  const file = configFile(given, surroundings);
  const read = await readAgentConfig(file);
  if ('value' in read) return { file, config: read.value };
  if (!existsSync(file)) throw new Failed(`There is no ${file}. ${no_config_yet}`);
  throw new Failed(read.problems.map(describeProblem).join('\n'));
};

const no_config_yet =
  'Make this machine a host first, with what "coordinator enrol" prints, or say where the file is: --config FILE.';

const none_runs =
  'No agent runs here. Start it: "session-agent install", or "session-agent run" in a terminal.';

/** The agent of this config.json, which runs on whatever has become of the file; or why there is none to be seen. */
const lookAt = async (file: string): Promise<AgentStatus | string[]> => {
  const status = await askStatus(stateFolderOf(file));
  if (status !== undefined) return status;
  const read = await readAgentConfig(file);
  return [`${none_runs} (${file})`, ...('problems' in read ? read.problems.map(describeProblem) : [])];
};

const showStatus: Rows['status'] = async ({ config, json }, surroundings) => {
  const status = await lookAt(configFile(config, surroundings));
  if (Array.isArray(status)) throw new Failed(status.join('\n'));
  if (json) surroundings.say(JSON.stringify(status, null, 2));
  else for (const line of statusLines(status, surroundings.clock.now())) surroundings.say(line);
  return status.link.state === 'connected' ? 0 : 1;
};

const showMonitor: Rows['monit'] = async ({ config }, surroundings) => {
  const file = configFile(config, surroundings);
  await monitor(async () => {
    const status = await lookAt(file);
    if (Array.isArray(status)) return { lines: status, well: false };
    return { lines: statusLines(status, surroundings.clock.now()), well: isWell(status) };
  }, surroundings);
  return 0;
};

const showLog: Rows['logs'] = async ({ config, follow, json, session: asked }, surroundings) => {
  // The running agent writes to the folder that it was started with, whatever config.json says by now.
  const running = await askStatus(stateFolderOf(configFile(config, surroundings)));
  const folder = running?.log_folder ?? (await readConfig(config, surroundings)).config.log_folder;
  // The note may be missing: of a session that an older agent began, or that began on a full disk.
  const live = (running?.instances ?? []).filter(({ session_id }) => session_id === asked);
  const noted = asked === undefined ? [] : [asked, ...instanceOf(folder, asked)];
  const names = asked === undefined ? [] : [...noted, ...live.map(({ instance_id }) => instance_id)];
  const stop = showLogs(folder, names, { follow, json }, surroundings);
  if (follow) await new Promise<void>((resolve) => endOnKey(surroundings, resolve));
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

const turnDraining = async (
  { config: given }: { config?: string | undefined },
  draining: boolean,
  surroundings: Surroundings,
): Promise<number> => {
  const { config } = await readConfig(given, surroundings);
  const { by } = await tellDraining(config, draining, surroundings);
  if (by === null) surroundings.say(`"${config.server_name}" takes sessions again.`);
  else if (by === 'host')
    surroundings.say(
      `"${config.server_name}" takes no new sessions until "session-agent undrain"; those that run go on.`,
    );
  else
    surroundings.say(
      `"${config.server_name}" takes no new sessions: an operator of the coordinator has drained it, and can lift that.`,
    );
  return draining === (by !== null) ? 0 : 1;
};

const showApps: Rows['apps list'] = async (given, surroundings) => {
  const { file, config } = await readConfig(given.config, surroundings);
  for (const line of await listApps(config)) surroundings.say(line);
  if (config.apps.length === 0) surroundings.say(`${file} has no apps yet.`);
  return 0;
};

const add: Rows['apps add'] = async ({ name, path, rest, engine, config }, surroundings) => {
  const app = { rc_name: name, path, arguments: [...rest], engine };
  const file = await changing(config, surroundings, (found) => addApp(found, app));
  surroundings.say(`"${name}" is in ${file}. A running agent takes it up within seconds.`);
  return 0;
};

const remove: Rows['apps remove'] = async ({ name, config }, surroundings) => {
  const file = await changing(config, surroundings, (found) => removeApp(found, name));
  surroundings.say(`"${name}" is no longer in ${file}. Its live sessions go on.`);
  return 0;
};

const enrolHere: Rows['enroll'] = async ({ url, token, ca, config }, surroundings) => {
  const ca_file = ca === undefined ? undefined : resolve(ca);
  await enroll({ coordinator: url, token, file: configFile(config, surroundings), ca_file }, surroundings);
  return 0;
};

const installHere: Rows['install'] = async ({ config, ...asked }, surroundings) => {
  await install({ ...(await readConfig(config, surroundings)), ...asked }, surroundings);
  return 0;
};

const uninstallHere: Rows['uninstall'] = async ({ folder }, surroundings) => {
  await uninstall(folder, surroundings);
  return 0;
};

const updateHere: Rows['update'] = async (given, surroundings) => {
  const { source, sha256, wait, 'no-restart': stay, 'allow-older': allow_older } = given;
  const { config } = await readConfig(given.config, surroundings).catch((error: unknown) => {
    // An agent that is started now would not get further, either.
    throw new Failed(`config.json has to be mended before an update:\n${wordsOf(error)}`);
  });
  const order = { source, sha256, allow_older, config, restart: !stay, patience_ms: wait * 1_000 };
  await update(order, surroundings);
  return 0;
};

const exchangeHere: Rows[typeof exchange_command] = async ({ order }, surroundings) => {
  let parsed: Exchange;
  try {
    parsed = exchangeSchema.parse(JSON.parse(order));
  } catch {
    throw new Failed(`"${exchange_command}" is for "update" to say`);
  }
  surroundings.say(await exchange(parsed, surroundings));
  return 0;
};

const rows: Rows = {
  enroll: enrolHere,
  install: installHere,
  uninstall: uninstallHere,
  status: showStatus,
  monit: showMonitor,
  logs: showLog,
  drain: (given, surroundings) => turnDraining(given, true, surroundings),
  undrain: (given, surroundings) => turnDraining(given, false, surroundings),
  'apps list': showApps,
  'apps add': add,
  'apps remove': remove,
  update: updateHere,
  [exchange_command]: exchangeHere,
};

/** Runs one of the operator's commands; its exit code. */
export const operate = async (asked: Asked<OperatorCommands>, surroundings: Terminal): Promise<number> => {
  try {
    return await handle(rows, asked, surroundings);
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    surroundings.complain(error.message);
    return 1;
  }
};
