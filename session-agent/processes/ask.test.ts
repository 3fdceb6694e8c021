import { expect, setDefaultTimeout, test } from 'bun:test';
import { systemClock } from '../../shared/clock.ts';
import { askProgram } from './ask.ts';

setDefaultTimeout(60_000);

const ask = (script: string, patience_ms = 30_000) =>
  askProgram(
    { command: ['/bin/sh', '-c', script], environment: { PATH: '/usr/bin:/bin', OWN: 'x' }, patience_ms },
    systemClock,
  );

test('askProgram() is what a program prints that ends well', async () => {
  expect(await ask('echo "$OWN"; echo y >&2')).toBe('x\n');
});

test('askProgram() is nothing for a program that fails, is not there, never ends or never stops talking', async () => {
  expect(await ask('echo x; exit 1')).toBeUndefined();
  expect(await ask('exec sleep 600', 50)).toBeUndefined();
  expect(await ask('exec yes')).toBeUndefined();
  const command: [string] = ['no-such-program'];
  expect(
    await askProgram({ command, environment: { PATH: '/usr/bin' }, patience_ms: 30_000 }, systemClock),
  ).toBeUndefined();
});
