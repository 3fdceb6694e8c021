import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { posix, win32 } from 'node:path';
import type { AgentConfig } from '../config.ts';
import { grantArguments } from '../processes/acl.ts';
import { runCommand } from '../processes/command.ts';
import { giveAway } from './give-away.ts';
import { type Service, service_name, systemdUnit, windowsWord, winswXml } from './service.ts';
import { adviceOn, Failed, type Surroundings, wordsOf } from './surroundings.ts';

export interface Installation {
  /** config.json, absolute. */
  file: string;
  /** What it says. */
  config: AgentConfig;
  user?: string | undefined;
  /** Where the definition is written; the system's own place when left out. Elsewhere the system is not told of it. */
  folder?: string | undefined;
  /** Only show it. */
  print: boolean;
}

const units = '/etc/systemd/system';
const command_ms = 120_000;

/** The file that describes the service, and its text. */
export const definition = (
  { file, config, user, folder }: Omit<Installation, 'print'>,
  { itself: [executable], platform }: Pick<Surroundings, 'itself' | 'platform'>,
): { path: string; text: string } => {
  const service: Service = {
    executable,
    config: file,
    folders: [config.log_folder, config.state_folder],
    user,
  };
  return platform === 'win32'
    ? {
        path: win32.join(folder ?? win32.dirname(executable), `${service_name}.xml`),
        text: winswXml(service),
      }
    : { path: posix.join(folder ?? units, `${service_name}.service`), text: systemdUnit(service) };
};

/** Runs systemctl; a sentence when it cannot do it. */
const systemctl = async ({ clock }: Surroundings, ...args: string[]): Promise<string | undefined> => {
  try {
    const { code, err } = await runCommand(['systemctl', ...args], command_ms, clock);
    return code === 0 ? undefined : `systemctl ${args.join(' ')}: ${err.trim() || `exit code ${code}`}`;
  } catch (error) {
    return `systemctl ${args.join(' ')}: ${wordsOf(error)}`;
  }
};

/** The number of an account, from the system's own list. */
const accountOf = async (user: string, { clock }: Surroundings): Promise<number> => {
  const { code, out } = await runCommand(['id', '-u', '--', user], command_ms, clock);
  if (code !== 0)
    throw new Failed(`There is no account "${user}". Make it: useradd --system --create-home ${user}`);
  return Number(out.trim());
};

const windowsSteps = (path: string): string[] => {
  const wrapper = path.replace(/xml$/, 'exe');
  return [
    `Next: take WinSW-x64.exe from github.com/winsw/winsw/releases and store it as ${wrapper}. Then, as administrator:`,
    `  ${windowsWord(wrapper)} install`,
    `  ${windowsWord(wrapper)} start`,
  ];
};

/** Lets the account of a Windows service at config.json, which is its maker's alone, and at the agent's folders. */
const grantTo = async (
  user: string,
  { file, config: { log_folder, state_folder } }: Installation,
  { clock, complain, environment }: Surroundings,
): Promise<void> => {
  for (const [path, folder] of [
    [file, false],
    [log_folder, true],
    [state_folder, true],
  ] as const) {
    try {
      if (folder) mkdirSync(path, { recursive: true });
      const command = grantArguments(path, { user, folder }, environment.SystemRoot);
      const { code, out, err } = await runCommand(command, command_ms, clock);
      if (code !== 0) complain(`${path}: ${user} may not be let in: ${err.trim() || out.trim()}`);
    } catch (error) {
      complain(`${path}: ${user} may not be let in: ${wordsOf(error)}`);
    }
  }
};

/** Makes a service of the agent, which runs from now on and starts with the machine. Throws Failed. */
export const install = async (installation: Installation, surroundings: Surroundings): Promise<void> => {
  const { say, complain, platform } = surroundings;
  const { path, text } = definition(installation, surroundings);
  if (installation.print) return say(text.trimEnd());
  if (surroundings.itself.length > 1) throw new Failed('Only the compiled executable can be installed.');
  const { user, folder } = installation;
  try {
    if (user !== undefined && platform !== 'win32') {
      const left = giveAway(await accountOf(user, surroundings), installation);
      for (const name of left) complain(`${name} is left as it is: a link, or another account's.`);
    }
    if (folder !== undefined) mkdirSync(folder, { recursive: true });
    writeFileSync(path, text);
  } catch (error) {
    if (error instanceof Failed) throw error;
    throw new Failed(`${adviceOn(error)} --print only shows what would be written.`);
  }
  say(`${path} is written.`);
  if (platform === 'win32') {
    if (user !== undefined) await grantTo(user, installation, surroundings);
    for (const line of windowsSteps(path)) say(line);
    return;
  }
  if (user === undefined)
    complain('Agent and apps will run as root. An account of their own is safer: --user NAME.');
  const steps = [['daemon-reload'], ['enable', service_name], ['restart', service_name]];
  if (folder !== undefined) return say('systemd has not been told: the unit is not where it looks.');
  for (const step of steps) {
    const problem = await systemctl(surroundings, ...step);
    if (problem !== undefined) throw new Failed(`The unit is written, but it does not run: ${problem}`);
  }
  say(`It runs, and will start with the machine. Look: session-agent status, journalctl -u ${service_name}`);
};

/** Tells the system to end the service and to forget it. */
const stopService = async (path: string, surroundings: Surroundings): Promise<void> => {
  if (surroundings.platform !== 'win32') {
    const problem = await systemctl(surroundings, 'disable', '--now', service_name);
    if (problem !== undefined) throw new Failed(problem);
    return;
  }
  const wrapper = path.replace(/xml$/, 'exe');
  if (statSync(wrapper, { throwIfNoEntry: false }) === undefined) return;
  // It may be stopped already: what counts is that it can be taken away.
  await runCommand([wrapper, 'stop'], command_ms, surroundings.clock);
  const { code, out, err } = await runCommand([wrapper, 'uninstall'], command_ms, surroundings.clock);
  if (code !== 0) throw new Failed(`${wrapper} uninstall: ${err.trim() || out.trim()}`);
};

/** Ends the service and takes its definition away; config.json, logs and state stay. Throws Failed. */
export const uninstall = async (folder: string | undefined, surroundings: Surroundings): Promise<void> => {
  const { say, platform, itself } = surroundings;
  const windows = platform === 'win32';
  const path = windows
    ? win32.join(folder ?? win32.dirname(itself[0]), `${service_name}.xml`)
    : posix.join(folder ?? units, `${service_name}.service`);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) throw new Failed(`There is no ${path}.`);
  try {
    if (folder === undefined) await stopService(path, surroundings);
    rmSync(path);
  } catch (error) {
    if (error instanceof Failed) throw error;
    throw new Failed(adviceOn(error));
  }
  const reloaded =
    folder === undefined && !windows ? await systemctl(surroundings, 'daemon-reload') : undefined;
  if (reloaded !== undefined) throw new Failed(reloaded);
  say(`${path} is gone. config.json, logs and state are still there.`);
};
