import { expect, test } from 'bun:test';
import { bounds } from '../kit/limits.ts';
import {
  admit,
  answered,
  connected,
  depart,
  disconnected,
  expire,
  extendClock,
  lastActivity,
  type Participant,
  present,
  startClocks,
  stopClocks,
} from './rules-participants.ts';
import { newParticipant } from './rules-session.ts';

const one = (id: string, patch: Partial<Participant> = {}): Participant => ({
  ...newParticipant({ id, token_hash: `${id}-token` }, false),
  ...patch,
});

const closed = { leave_at: 500, leave_latest: 600, returns_until: null };

test('admit() adds a newcomer, and replaces one who is there', () => {
  expect(admit([one('a')], one('b'))).toEqual([one('a'), one('b')]);
  expect(admit([one('a'), one('b')], one('b', { came: true }))).toEqual([one('a'), one('b', { came: true })]);
});

test('admit() forgets the longest gone when too many are remembered', () => {
  const gone = Array.from({ length: bounds.participants_remembered }, (_, n) => one(`p${n}`, { away: true }));
  const admitted = admit(gone, one('new'));
  expect(admitted).toHaveLength(bounds.participants_remembered);
  expect(admitted).not.toContain(gone[0]);
});

const join = (participants: readonly Participant[], id: string) =>
  answered(connected(participants, id, 900), id, 50);

test('connected() makes nobody present: the clock runs on until the stream is answered', () => {
  const clocks = startClocks([one('a')], 100);
  const silent = connected(clocks, 'a', 900);
  expect(silent[0]).toMatchObject({ channels: 1, streams: 0, came: false, leave_at: 100 });
  expect(present(expire(silent, 100))).toEqual([]);
  expect(answered(silent, 'a', 50)[0]).toMatchObject({
    streams: 1,
    came: true,
    came_at: 50,
    leave_at: null,
  });
});

test('connected() gives the connection of someone who is away a time of its own', () => {
  const away = [one('a', { away: true, came: true })];
  const back = connected(away, 'a', 900);
  expect(back[0]).toMatchObject({ away: true, leave_at: 900 });
  expect(connected(back, 'a', 950)[0]?.leave_at).toBe(900);
  expect(present(answered(back, 'a', 50))).toHaveLength(1);
});

test('answered() counts no more streams than there are connections, and only for who said so', () => {
  const twice = answered(join([one('a'), one('b')], 'a'), 'a', 60);
  expect(twice.map(({ streams }) => streams)).toEqual([1, 0]);
});

test('disconnected() starts the clock with the last stream only', () => {
  const two = join(join([one('a')], 'a'), 'a');
  const still = disconnected(two, { id: 'a', streamed: true }, closed);
  expect(still[0]).toMatchObject({ channels: 1, streams: 1, leave_at: null, came: true });
  const silent = connected(still, 'a', 900);
  const last = disconnected(silent, { id: 'a', streamed: true }, closed);
  expect(last[0]).toMatchObject({ channels: 1, streams: 0, leave_at: 500 });
  // Closing a connection that never had the stream moves no clock.
  expect(disconnected(last, { id: 'a', streamed: false }, { ...closed, leave_at: 700 })[0]).toMatchObject({
    channels: 0,
    leave_at: 500,
  });
  expect(disconnected([one('a')], { id: 'a', streamed: true }, closed)[0]).toMatchObject({ leave_at: null });
});

test('disconnected() starts no clock for someone who has left', () => {
  const gone = depart(join([one('a')], 'a'), 'a');
  expect(disconnected(gone, { id: 'a', streamed: true }, closed)[0]?.leave_at).toBeNull();
});

test('expire() sends those away whose clock has run out, and keeps the array when there is none', () => {
  const waiting = startClocks(
    [one('a'), one('b', { channels: 1, streams: 1 }), one('c', { away: true })],
    100,
  );
  expect(waiting.map(({ leave_at }) => leave_at)).toEqual([100, null, null]);
  expect(expire(waiting, 99)).toBe(waiting);
  expect(present(expire(waiting, 100)).map(({ id }) => id)).toEqual(['b']);
  expect(expire(stopClocks(waiting), 1_000)).toHaveLength(3);
});

test('extendClock() moves a running clock forward only, and no further than it may', () => {
  const waiting = disconnected(join([one('a')], 'a'), { id: 'a', streamed: true }, closed);
  expect(extendClock(waiting, 'a', 550)[0]?.leave_at).toBe(550);
  expect(extendClock(waiting, 'a', 450)[0]?.leave_at).toBe(500);
  expect(extendClock(waiting, 'a', 10_000)[0]?.leave_at).toBe(600);
  expect(extendClock([one('a')], 'a', 150)[0]?.leave_at).toBeNull();
});

test('lastActivity() hears pages that tell of input, and gives those who never tell a while', () => {
  const there = (came_at: number, active_at: number | null) => one(String(came_at), { came_at, active_at });
  expect(lastActivity([], 900)).toBeUndefined();
  expect(lastActivity([one('never came')], 900)).toBeUndefined();
  expect(lastActivity([there(10, 20), there(30, 40)], 900)).toBe(40);
  // A silent guest beside one who tells changes nothing, whenever it comes.
  expect(lastActivity([there(10, 20), there(5_000, null)], 900)).toBe(20);
  expect(lastActivity([there(10, null), there(5_000, null)], 900)).toBe(910);
});
