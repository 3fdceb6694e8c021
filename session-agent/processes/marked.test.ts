import { expect, test } from 'bun:test';
import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { silentLog } from '../../shared/log.ts';
import { sleep } from '../wait.ts';
import { endMarked, leaderAmong, markedProcesses } from './marked.ts';

const start = (host: string, instance: string, script = 'trap "" TERM; while true; do sleep 1; done') =>
  Bun.spawn(['/bin/sh', '-c', script], {
    env: { PATH: '/usr/bin:/bin', VITRINA_HOST: host, VITRINA_INSTANCE: instance, VITRINA_ROLE: 'app' },
    detached: true,
  });

test('endMarked() kills what carries all of the marks, whatever it does about it, and nothing else', async () => {
  const [host, mine, other] = [systemIds.id(), systemIds.id(), systemIds.id()];
  const left = [start(host, mine), start(host, mine)];
  const foreign = start(host, other);
  await endMarked([`VITRINA_HOST=${host}`, `VITRINA_INSTANCE=${mine}`], systemClock, silentLog);
  expect(await Promise.all(left.map(({ exited }) => exited))).toHaveLength(2);
  expect(left.map(({ signalCode }) => signalCode)).toEqual(['SIGKILL', 'SIGKILL']);
  expect(foreign.exitCode).toBeNull();
  await endMarked([`VITRINA_HOST=${host}`], systemClock, silentLog);
  await foreign.exited;
  await endMarked([`VITRINA_HOST=${host}`], systemClock, silentLog);
});

test('leaderAmong() finds the process that was started, not a child that leads a group of its own', async () => {
  const [host, instance] = [systemIds.id(), systemIds.id()];
  const program = start(host, instance, 'setsid sleep 1000 & setsid sleep 1000 & wait');
  while (markedProcesses(host).filter(({ pid, group }) => pid === group).length < 3)
    await sleep(systemClock, 5);
  const marked = markedProcesses(host);
  expect(leaderAmong(marked, instance, 'app')).toBe(program.pid);
  expect(leaderAmong(marked, instance, 'signalling')).toBeUndefined();
  await endMarked([`VITRINA_HOST=${host}`], systemClock, silentLog);
});
