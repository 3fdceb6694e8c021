import { expect, test } from 'bun:test';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { contained } from '../../scripts/contained.ts';
import { processesOf, until } from './harness.ts';

const module = resolve(import.meta.dir, '..', '..', 'scripts', 'contained.ts');
// A child, one that has left its group and session, and one whose parent has gone.
const work = 'sleep 900 & setsid sleep 900 & (setsid sleep 900 &) ; wait';
const run = `
import { contained } from '${module}';
await Bun.spawn(contained(['sh', '-c', '${work}'])).exited;`;

test('contained() leaves no process behind, whichever way the run is ended', async () => {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGKILL'] as const) {
    const marker = randomUUID();
    const runner = Bun.spawn([process.execPath, '-e', run], {
      env: { ...process.env, VITRINA_INSTANCE: marker },
    });
    const sleepers = () => processesOf(marker).filter(({ command }) => command.includes('sleep')).length;
    await until('all three run', sleepers, (count) => count === 3);
    runner.kill(signal);
    await runner.exited;
    expect(
      await until(
        'nothing runs',
        () => processesOf(marker).length,
        (count) => count === 0,
      ),
    ).toBe(0);
  }
});

test('contained() ends with the exit code of its command', async () => {
  expect(await Bun.spawn(contained(['sh', '-c', 'exit 7'])).exited).toBe(7);
});
