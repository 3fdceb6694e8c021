import type { Clock } from '../../shared/clock.ts';
import { describeProblem } from '../../shared/config.ts';
import { counted } from '../../shared/counted.ts';
import type { Ids } from '../../shared/ids.ts';
import { type AgentConfig, readAgentConfig } from '../config.ts';
import { baseEnvironment } from '../domain/launch.ts';
import { checkCoordinator } from './coordinator.ts';
import { checkGpu } from './gpu.ts';
import { fail, type Line, ok, skip } from './line.ts';
import { checkApps, checkDisk, checkPorts, checkRights } from './machine.ts';
import { timed } from './reach.ts';
import { checkStun } from './stun.ts';
import { checkTurn } from './turn.ts';
import { checkWay, wayTo } from './way.ts';

/** However little answers, nobody waits longer; the bounds of the single hops come to a little less. */
const WHOLE_MS = 29_500;

export interface DoctorOptions {
  config_file: string;
  /** For the proxy's variables and for the programs that are asked. */
  environment: Record<string, string | undefined>;
  platform: NodeJS.Platform;
  clock: Clock;
  ids: Ids;
  /** Called with each line as soon as it and those before it are there. */
  show?: (line: Line) => void;
}

const hops = ['DNS', 'TCP', 'TLS', 'coordinator', 'key', 'clock'];
const media = ['STUN', 'TURN over UDP', 'TURN over TCP', 'TURN over TLS'];

/** The lines in the order of the names; what has none was not tried, because of the first that failed. */
const complete = (names: readonly string[], lines: readonly Line[]): Line[] => {
  const broken = lines.find(({ state }) => state === 'fail');
  const why = broken === undefined ? 'nothing to try it with' : `${broken.name} failed`;
  return names.map((name) => lines.find((line) => line.name === name) ?? skip(name, `not tried: ${why}`));
};

/** Everything that lies between this host and its visitors. */
const checkNetwork = async (config: AgentConfig, options: DoctorOptions): Promise<Line[]> => {
  const { clock, ids, environment } = options;
  const way = await wayTo(config, environment);
  if ('state' in way) return complete([...hops, ...media], [way]);
  const lines = await checkWay(clock, way);
  if (lines.some(({ state }) => state === 'fail')) return complete([...hops, ...media], lines);
  const { lines: said, check } = await checkCoordinator(clock, way, config);
  lines.push(...said);
  if (check === undefined) return complete([...hops, ...media], lines);
  const [stun, turn] = await Promise.all([
    checkStun({ clock, ids }, check),
    checkTurn({ clock, ids, ca: way.ca }, check),
  ]);
  return complete([...hops, ...media], [...lines, stun, ...turn]);
};

/** A check that does not come to an end, or fails in a way that nobody foresaw, is a line too. */
const bounded = async (clock: Clock, name: string, run: () => Promise<Line[]>): Promise<Line[]> => {
  try {
    return await timed(clock, WHOLE_MS, run);
  } catch (error) {
    return [
      fail(name, `the check itself failed: ${String(error)}`, 'Run it again, and report it if it stays so.'),
    ];
  }
};

/**
 * Looks at everything that a host needs, hop by hop, and says of each what it found and what to do. Needs no running
 * agent and does not disturb one. Checks that do not depend on each other run side by side.
 */
export const doctor = async (options: DoctorOptions): Promise<Line[]> => {
  const { config_file, environment, platform, clock, show } = options;
  const lines: Line[] = [];
  const add = (line: Line) => {
    lines.push(line);
    show?.(line);
  };
  const read = await readAgentConfig(config_file);
  if ('problems' in read) {
    const advice = 'Correct the file, or enrol this host with "session-agent enroll".';
    for (const problem of read.problems) add(fail('config', describeProblem(problem), advice));
    for (const line of complete([...hops, ...media], lines)) add(line);
    return lines;
  }
  const config = read.value;
  add(
    ok(
      'config',
      `${config_file}: ${config.server_name}, ${counted(config.seats, 'seat')}, ${counted(config.apps.length, 'app')}`,
    ),
  );
  const parts = [
    bounded(clock, 'rights', async () => [await checkRights(config_file, platform, environment.SystemRoot)]),
    bounded(clock, 'network', () => checkNetwork(config, options)),
    bounded(clock, 'apps', () => checkApps(config)),
    bounded(clock, 'GPU', async () => [await checkGpu(clock, config, baseEnvironment(environment))]),
    bounded(clock, 'ports', async () => [await checkPorts(config)]),
    bounded(clock, 'disk', () => checkDisk(config)),
  ];
  for (const part of parts) for (const line of await part) add(line);
  return lines;
};
