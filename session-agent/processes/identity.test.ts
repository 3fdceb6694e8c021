import { expect, test } from 'bun:test';
import { bornOf, isThere, powershell } from './identity.ts';

test('bornOf() is one text for one process, another for the next, and none for one that has ended', async () => {
  const sleeper = () => Bun.spawn(['/bin/sleep', '1000']);
  const one = sleeper();
  const born = await bornOf(one.pid);
  expect(born).toMatch(/^\d+@[0-9a-f-]{36}$/);
  expect(await bornOf(one.pid)).toBe(born ?? '');
  expect(await isThere({ pid: one.pid, born: born ?? '' })).toBe(true);
  expect(await isThere({ pid: one.pid, born: '1@another' })).toBe(false);
  one.kill();
  await one.exited;
  expect(await bornOf(one.pid)).toBeUndefined();
  expect(await isThere({ pid: one.pid, born: born ?? '' })).toBe(false);
});

test("powershell() runs Windows' own by its full path with one script", () => {
  expect(powershell('D:\\Windows', 'Get-Date').slice(1)).toEqual([
    '-NoProfile',
    '-NonInteractive',
    '-Command',
    'Get-Date',
  ]);
  expect(powershell('D:\\Windows', '')[0]).toContain('powershell.exe');
  expect(powershell(undefined, '')[0]).toStartWith('C:\\Windows');
});
