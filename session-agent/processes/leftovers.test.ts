import { expect, test } from 'bun:test';
import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { silentLog } from '../../shared/log.ts';
import { endLeftovers } from './leftovers.ts';

const start = (host: string) =>
  Bun.spawn(['/bin/sh', '-c', 'trap "" TERM; while true; do sleep 1; done'], {
    env: { PATH: '/usr/bin:/bin', VITRINA_HOST: host },
    detached: true,
  });

test('endLeftovers() kills what carries the mark, whatever it does about it, and nothing else', async () => {
  const [mine, other] = [systemIds.id(), systemIds.id()];
  const left = [start(mine), start(mine)];
  const foreign = start(other);
  await endLeftovers(`VITRINA_HOST=${mine}`, systemClock, silentLog);
  expect(await Promise.all(left.map(({ exited }) => exited))).toHaveLength(2);
  expect(left.map(({ signalCode }) => signalCode)).toEqual(['SIGKILL', 'SIGKILL']);
  expect(foreign.exitCode).toBeNull();
  await endLeftovers(`VITRINA_HOST=${other}`, systemClock, silentLog);
  await foreign.exited;
  await endLeftovers(`VITRINA_HOST=${other}`, systemClock, silentLog);
});
