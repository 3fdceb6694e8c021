import { expect, test } from 'bun:test';
import { systemClock } from '../../shared/clock.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { ask } from './question.ts';

const environment = { PATH: '/usr/bin:/bin' };
const shell = (script: string): [string, ...string[]] => ['/bin/sh', '-c', script];

test('ask() gives what the program said, and whether it ended well', async () => {
  const good = ask(shell('echo one; echo two >&2'), environment, 60_000, systemClock);
  expect(await good.answer).toEqual({ ok: true, text: 'one\ntwo\n' });
  const bad = ask(shell('echo no; exit 9'), environment, 60_000, systemClock);
  expect(await bad.answer).toEqual({ ok: false, text: 'no\n' });
  await Promise.all([good.gone, bad.gone]);
  expect(() => ask(['/nowhere/smi'], environment, 60_000, systemClock)).toThrow();
});

test('ask() waits no longer than it is told, and kills', async () => {
  const clock = fakeClock();
  const question = ask(shell('exec sleep 600'), environment, 5_000, clock);
  clock.advance(4_999);
  const first = await Promise.race([question.answer, Promise.resolve('still waiting')]);
  expect(first).toBe('still waiting');
  clock.advance(1);
  expect(await question.answer).toEqual({ problem: 'no answer within 5000 ms' });
  await question.gone;
  expect(clock.pending()).toBe(0);
});

test('ask() keeps a bounded part of an endless answer', async () => {
  const question = ask(shell('yes'), environment, 60_000, systemClock);
  const answer = await question.answer;
  expect('text' in answer ? answer.text.length : 0).toBe(64 * 1024);
  await question.gone;
});
