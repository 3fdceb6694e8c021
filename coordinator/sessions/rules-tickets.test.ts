import { expect, test } from 'bun:test';
import { bounds } from '../kit/limits.ts';
import { addTicket, freeTicket, type Ticket, useTicket } from './rules-tickets.ts';

const ticket = (hash: string, expires = 30_000, participant = 'p'): Ticket => ({
  hash,
  participant,
  expires,
  used: false,
});

test('useTicket() works once, until the ticket expires', () => {
  const used = useTicket([ticket('a')], 'a', 29_999);
  expect(used).toEqual({ tickets: [{ ...ticket('a'), used: true }], participant: 'p' });
  expect(useTicket('tickets' in used ? used.tickets : [], 'a', 29_999)).toEqual({ refused: 'ticket_used' });
  expect(useTicket([ticket('a')], 'a', 30_000)).toEqual({ refused: 'ticket_expired' });
  expect(useTicket([ticket('a')], 'b', 0)).toEqual({ refused: 'ticket_unknown' });
});

test("addTicket() drops the oldest of a participant who has too many, and nobody else's", () => {
  const own = Array.from({ length: bounds.tickets_per_participant }, (_, n) => ticket(`own-${n}`));
  const kept = addTicket([ticket('other', 30_000, 'q'), ...own], ticket('new'), 0);
  expect(kept.map(({ hash }) => hash)).toEqual(['other', ...own.slice(1).map(({ hash }) => hash), 'new']);
});

test('addTicket() forgets tickets that expired long ago', () => {
  const old = [ticket('old', 1_000), ticket('late', 40_000)];
  const kept = addTicket(old, ticket('new', 80_000), 50_000);
  expect(kept.map(({ hash }) => hash)).toEqual(['late', 'new']);
});

test('freeTicket() lets the ticket open another connection for a minute, as often as one ends', () => {
  const open = [{ ...ticket('a'), used: true }, ticket('b')];
  const freed = freeTicket(open, 'a', 500_000);
  expect(freed).toEqual([ticket('a', 500_000 + bounds.ticket_again_ms), ticket('b')]);
  const again = useTicket(freed, 'a', 499_999 + bounds.ticket_again_ms);
  expect(again).toMatchObject({ participant: 'p' });
  expect(useTicket('tickets' in again ? again.tickets : [], 'a', 500_000)).toEqual({
    refused: 'ticket_used',
  });
  expect(useTicket(freed, 'a', 500_000 + bounds.ticket_again_ms)).toEqual({ refused: 'ticket_expired' });
});

test('freeTicket() leaves a ticket alone that no connection was opened with', () => {
  expect(freeTicket([ticket('a')], 'a', 500_000)).toEqual([ticket('a')]);
});

test('addTicket() keeps what is in use, however old', () => {
  const used = { ...ticket('old', 1_000), used: true };
  const others = Array.from({ length: bounds.tickets_per_participant - 1 }, (_, n) =>
    ticket(`${n}`, 900_000),
  );
  const kept = addTicket([used, ...others], ticket('new', 900_000), 800_000);
  expect(kept.map(({ hash }) => hash)).toEqual(['old', ...others.slice(1).map(({ hash }) => hash), 'new']);
});
