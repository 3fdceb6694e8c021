import { expect, test } from 'bun:test';
import { bounds } from '../limits.ts';
import {
  admit,
  connected,
  depart,
  disconnected,
  expire,
  extendClock,
  type Participant,
  present,
  startClocks,
  stopClocks,
} from './participants.ts';
import { newParticipant } from './session.ts';

const one = (id: string, patch: Partial<Participant> = {}): Participant => ({
  ...newParticipant({ id, token_hash: `${id}-token` }, false),
  ...patch,
});

const closed = { leave_at: 500, returns_until: null };

test('admit() lets people in up to the limit; who is away does not count', () => {
  const full = [one('a'), one('b')];
  expect(admit(full, one('c'), 2)).toEqual({ refused: 'session_full' });
  expect(admit([one('a'), one('b', { away: true })], one('c'), 2)).toHaveLength(3);
  expect(admit(full, one('b', { came: true }), 2)).toEqual([one('a'), one('b', { came: true })]);
});

test('admit() forgets the longest gone when too many are remembered', () => {
  const gone = Array.from({ length: bounds.participants_remembered }, (_, n) => one(`p${n}`, { away: true }));
  const admitted = admit(gone, one('new'), 2);
  expect(admitted).toHaveLength(bounds.participants_remembered);
  expect(admitted).not.toContain(gone[0]);
});

test('disconnected() starts the clock with the last connection only', () => {
  const two = connected(connected([one('a')], 'a'), 'a');
  const still = disconnected(two, 'a', closed);
  expect(still[0]).toMatchObject({ channels: 1, leave_at: null, came: true });
  expect(disconnected(still, 'a', closed)[0]).toMatchObject({ channels: 0, leave_at: 500 });
  expect(disconnected([one('a')], 'a', closed)[0]).toMatchObject({ channels: 0, leave_at: null });
});

test('disconnected() starts no clock for someone who has left', () => {
  expect(disconnected(depart(connected([one('a')], 'a'), 'a'), 'a', closed)[0]?.leave_at).toBeNull();
});

test('expire() sends those away whose clock has run out, and keeps the array when there is none', () => {
  const waiting = startClocks([one('a'), one('b', { channels: 1 }), one('c', { away: true })], 100);
  expect(waiting.map(({ leave_at }) => leave_at)).toEqual([100, null, null]);
  expect(expire(waiting, 99)).toBe(waiting);
  expect(present(expire(waiting, 100)).map(({ id }) => id)).toEqual(['b']);
  expect(expire(stopClocks(waiting), 1_000)).toHaveLength(3);
});

test('extendClock() moves a running clock forward only', () => {
  const waiting = startClocks([one('a')], 100);
  expect(extendClock(waiting, 'a', 150)[0]?.leave_at).toBe(150);
  expect(extendClock(waiting, 'a', 50)[0]?.leave_at).toBe(100);
  expect(extendClock([one('a')], 'a', 150)[0]?.leave_at).toBeNull();
});
