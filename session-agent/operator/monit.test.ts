import { expect, test } from 'bun:test';
import { testTerminal } from '../testing/terminal.ts';
import { monitor } from './monit.ts';

test('monitor() redraws each second until q is pressed, and leaves the terminal as it was', async () => {
  using under = testTerminal({ size: () => ({ columns: 20, rows: 4 }) });
  let looks = 0;
  let looked = Promise.withResolvers<void>();
  const over = monitor(async () => {
    looks += 1;
    looked.resolve();
    return { lines: [`look ${looks}`], well: looks > 1 };
  }, under.terminal);
  await looked.promise;
  looked = Promise.withResolvers();
  // The drawing that follows the first look ends before the next one begins.
  await new Promise<void>((drawn) => queueMicrotask(() => queueMicrotask(drawn)));
  while (looks < 2) {
    under.clock.advance(1_000);
    await Promise.resolve();
  }
  await looked.promise;
  while (!under.written.join('').includes('look 2')) await Promise.resolve();
  under.press('x');
  expect(under.listening()).toBe(1);
  under.press('q');
  await over;
  const text = under.written.join('');
  expect(text).toContain('SOMETHING IS WRONG');
  expect(text).toContain('all is well');
  expect(text.startsWith('\u001b[?1049h')).toBeTrue();
  expect(text.endsWith('\u001b[?1049l')).toBeTrue();
  expect(under.listening()).toBe(0);
});

test('monitor() passes on what keeps it from looking, and cleans up', async () => {
  using under = testTerminal();
  const failing = monitor(() => Promise.reject(new Error('no access')), under.terminal);
  await expect(failing).rejects.toThrow('no access');
  await failing.catch(() => undefined);
  expect(under.listening()).toBe(0);
});
