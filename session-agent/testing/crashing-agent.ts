/**
 * An agent that kills itself at a point that its parent names, as a power switch would. It takes lines on its standard input:
 *   arm POINT N        die at the Nth time that it comes to that point
 *   inventory          print the sessions and instances that it has, as one line of JSON
 * Arguments: config.json, the file of the signalling server, and POINT and N to be armed with from the start.
 */
import { createInterface } from 'node:readline';
import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { createLog } from '../../shared/log.ts';
import { Agent, type Tools } from '../agent.ts';
import { readAgentConfig } from '../config.ts';
import type { Entry } from '../domain/journal.ts';
import { baseEnvironment } from '../domain/launch.ts';

const [file = '', signalling = '', at = '', nth = '0'] = process.argv.slice(2);
let armed = { point: at, times: Number(nth) };

const reach = (point: string) => {
  if (armed.point === point && --armed.times === 0) process.kill(process.pid, 'SIGKILL');
};

const before = (entry: Entry) => {
  if (entry.is === 'intent') reach('before_intent');
  if (entry.is === 'ready' || entry.is === 'bound') reach('before_report');
  if (entry.is === 'ended') reach('before_ended');
};
const after = (entry: Entry) => {
  if (entry.is === 'intent') reach('after_intent');
  if (entry.is === 'started') reach(entry.role === 'app' ? 'after_app_pid' : 'after_signalling_pid');
  // The programs have been asked to end by then, and have not ended yet.
  if (entry.is === 'stopping') systemClock.after(systemIds.below(20), () => reach('during_stop'));
};

const around = ({ journal, start }: Tools): Tools => ({
  journal: {
    get account() {
      return journal.account;
    },
    append: async (entry) => {
      before(entry);
      await journal.append(entry);
      after(entry);
    },
  },
  start: (...order) => {
    const program = start(...order);
    reach('after_spawn');
    return program;
  },
});

const read = await readAgentConfig(file);
if ('problems' in read) throw new Error(JSON.stringify(read.problems));
const agent = new Agent({
  config: read.value,
  version: '1.2.3',
  signalling: [process.execPath, signalling],
  environment: baseEnvironment(process.env),
  clock: systemClock,
  ids: systemIds,
  log: createLog('session-agent', 'warn', { write: (line: string) => process.stderr.write(line) }),
  around,
});
createInterface({ input: process.stdin }).on('line', (line) => {
  const [command, point = '', times = '1'] = line.split(' ');
  if (command === 'arm') armed = { point, times: Number(times) };
  else
    process.stdout.write(
      `${JSON.stringify({ sessions: agent.host.inventory(), instances: agent.host.describe() })}\n`,
    );
});
process.on('SIGTERM', () => {
  void agent.stop().then(() => process.exit(0));
});
await agent.start();
