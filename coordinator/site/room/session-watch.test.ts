import { expect, test } from 'bun:test';
import type { Session } from '../../../shared/protocol/http.ts';
import { fakeClock } from '../../../shared/testing/clock.ts';
import type { Answer } from '../kit/api.ts';
import { watchSession } from './session-watch.ts';

const session = (phase: Session['phase'], version: number): Session => ({
  id: 's1',
  app: 'Loft',
  phase,
  code: '1234',
  version,
  participants: 1,
  phases: {},
  now: 0,
  invite: 'i1',
  ends_at: 9,
  cut_short: false,
  extendable_to: null,
  idle_at: null,
  waiting: [],
  names: {},
  end: null,
});

const gone: Answer<Session> = { failed: 'session_unknown' };
const unreachable: Answer<Session> = { failed: 'unreachable' };

/** Follows a coordinator that gives these answers; the clock is moved on at once whenever something waits for it. */
const watch = async (answers: Answer<Session>[]) => {
  const clock = fakeClock();
  const end = new AbortController();
  const seen: string[] = [];
  const asked: (number | undefined)[] = [];
  const ask = async (after: number | undefined) => {
    asked.push(after);
    const answer = answers.shift();
    if (answer === undefined) end.abort();
    return answer ?? unreachable;
  };
  const impatient = {
    ...clock,
    after: (ms: number, run: () => void) => {
      seen.push(`waits ${ms}`);
      const cancel = clock.after(ms, run);
      queueMicrotask(() => clock.advance(ms));
      return cancel;
    },
  };
  const events = {
    onSession: ({ phase }: Session) => void seen.push(phase),
    onTrouble: () => void seen.push('trouble'),
    onGone: () => void seen.push('gone'),
  };
  await watchSession(ask, events, impatient, end.signal);
  return { seen, asked, pending: clock.pending() };
};

test('watchSession() asks for what is newer than the last answer, until the end', async () => {
  const { seen, asked } = await watch([session('assigned', 1), session('ready', 4), session('ended', 5)]);
  expect(seen).toEqual(['assigned', 'ready', 'ended']);
  expect(asked).toEqual([undefined, 1, 4]);
});

test('watchSession() waits longer each time the coordinator is out of reach, and forgets it after an answer', async () => {
  const { seen } = await watch([unreachable, unreachable, session('ready', 1), unreachable, gone]);
  expect(seen).toEqual([
    'trouble',
    'waits 500',
    'trouble',
    'waits 1000',
    'ready',
    'trouble',
    'waits 500',
    'gone',
  ]);
});

test('watchSession() stops at a refusal that no waiting changes', async () => {
  const { seen, asked } = await watch([{ failed: 'unauthorized' }, session('ready', 1)]);
  expect(seen).toEqual(['gone']);
  expect(asked).toHaveLength(1);
});

test('watchSession() takes no page of a proxy for the end of a session that it follows', async () => {
  const strange: Answer<Session> = { failed: 'unreadable' };
  const { seen } = await watch([session('ready', 1), strange, strange, session('ended', 2)]);
  expect(seen).toEqual(['ready', 'trouble', 'waits 500', 'trouble', 'waits 1000', 'ended']);
  expect((await watch([strange])).seen).toEqual(['gone']);
});

test('watchSession() does not spin when the same version comes back at once', async () => {
  const { seen } = await watch([session('ready', 1), session('ready', 1)]);
  expect(seen).toEqual(['ready', 'ready', 'waits 1000']);
});

test('watchSession() leaves no timer behind', async () => {
  const { pending } = await watch([unreachable, session('ready', 1)]);
  expect(pending).toBe(0);
});
