import { expect, test } from 'bun:test';
import { errors, refuse } from '../../shared/errors.ts';
import type { Peer } from '../../shared/socket.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { bounds } from '../kit/limits.ts';
import { createRefusedPlayers } from './refused.ts';

const why = refuse('ticket_unknown');
const { close: code } = errors.ticket_unknown;

/** A page that dials again as soon as its socket closes, which Epic's of 5.2 does: how often it did within that time. */
const hammer = (open: ReturnType<typeof createRefusedPlayers>, network = '192.0.2.1') => {
  const codes: number[] = [];
  const dial = (): void => {
    let ended = false;
    let peer: Peer | undefined;
    const end = (said: number, reason: string) => {
      if (ended) return;
      ended = true;
      codes.push(said);
      peer?.closed(said, reason);
      queueMicrotask(dial);
    };
    peer = open(network, why)({ remote: network, send: () => true, backlog: () => 0, close: end });
    if (ended) peer.closed(code, '');
  };
  dial();
  return codes;
};

const pass = async (clock: ReturnType<typeof fakeClock>, ms: number): Promise<void> => {
  for (let passed = 0; passed < ms; passed += 100) {
    clock.advance(100);
    await Promise.resolve();
  }
};

test('createRefusedPlayers() slows a page down that dials at once, and says the same each time', async () => {
  const clock = fakeClock();
  const codes = hammer(createRefusedPlayers(clock));
  await Promise.resolve();
  await pass(clock, 9_000);
  expect(codes.length).toBeGreaterThanOrEqual(4);
  expect(codes.length).toBeLessThanOrEqual(8);
  const before = codes.length;
  await pass(clock, 60_000);
  expect(codes.length - before).toBeLessThanOrEqual(60_000 / bounds.refusal_held_ms + 1);
  expect(new Set(codes)).toEqual(new Set([code]));
});

test('createRefusedPlayers() lets nobody else wait, and forgets after a minute', async () => {
  const clock = fakeClock();
  const open = createRefusedPlayers(clock);
  const closes: string[] = [];
  const told = (network: string) =>
    open(
      network,
      why,
    )({ remote: network, send: () => true, backlog: () => 0, close: () => void closes.push(network) });
  for (const network of ['a', 'a', 'a', 'a', 'a', 'a', 'b']) told(network);
  expect(closes).toEqual(['a', 'a', 'a', 'a', 'b']);
  clock.advance(1_000);
  expect(closes).toHaveLength(6);
  clock.advance(1_000);
  expect(closes).toHaveLength(7);
  clock.advance(bounds.refusals_ms);
  told('a');
  expect(closes).toHaveLength(8);
});

test('createRefusedPlayers() holds so many and no more, and none whose page has gone', () => {
  const clock = fakeClock();
  const open = createRefusedPlayers(clock);
  let closes = 0;
  const told = () =>
    open('a', why)({ remote: 'a', send: () => true, backlog: () => 0, close: () => void closes++ });
  const peers = Array.from({ length: bounds.refusals_held + 4 }, told);
  expect(closes).toBe(4);
  told();
  expect(closes).toBe(5);
  for (const peer of peers) peer.closed(1006, '');
  expect(clock.pending()).toBe(0);
  told();
  expect(closes).toBe(5);
});
