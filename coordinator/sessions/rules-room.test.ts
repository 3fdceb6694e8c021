import { expect, test } from 'bun:test';
import { bounds } from '../kit/limits.ts';
import type { Participant } from './rules-participants.ts';
import { roomFor, roomInLobby } from './rules-room.ts';
import { newParticipant } from './rules-session.ts';

const many = (count: number, patch: Partial<Participant>): Participant[] =>
  Array.from({ length: count }, (_, at) => ({
    ...newParticipant({ id: `p${at}`, token_hash: '' }, false),
    network: `192.0.2.${at}`,
    ...patch,
  }));

const stranger = { invited: false, network: '198.51.100.1' };
const guest = { invited: true, network: null };

test('roomFor() keeps a quarter of the room for the invited', () => {
  const byCode = many(24, { came: true });
  expect(roomFor(byCode.slice(1), stranger, 32)).toBeUndefined();
  expect(roomFor(byCode, stranger, 32)?.refused).toBe('session_full');
  expect(roomFor(byCode, guest, 32)).toBeUndefined();
  const invited = many(31, { invited: true });
  expect(roomFor(invited, guest, 32)).toBeUndefined();
  expect(roomFor(invited, stranger, 32)).toBeUndefined();
  expect(roomFor([...invited, ...byCode.slice(0, 1)], guest, 32)?.refused).toBe('session_full');
});

test('roomFor() lets few of one network come in at a time; who has answered the stream does not count', () => {
  const network = '2001:db8:1:7::/64';
  const silent = many(bounds.joins_of_network, { network });
  expect(roomFor(silent, { ...stranger, network }, 32)?.refused).toBe('session_full');
  // Its whole /48 is one customer.
  expect(roomFor(silent, { ...stranger, network: '2001:db8:1:8::/64' }, 32)?.refused).toBe('session_full');
  expect(roomFor(silent, { ...stranger, network: '2001:db8:2:7::/64' }, 32)).toBeUndefined();
  expect(roomFor(many(10, { network, came: true }), { ...stranger, network }, 32)).toBeUndefined();
});

test('roomInLobby() has few places for a session, and fewer for one network', () => {
  const network = '192.0.2.1';
  expect(roomInLobby(many(bounds.knocks_of_session - 1, {}), '198.51.100.1')).toBeUndefined();
  expect(roomInLobby(many(bounds.knocks_of_session, {}), '198.51.100.1')?.refused).toBe('session_full');
  expect(roomInLobby(many(bounds.knocks_of_network, { network }), network)?.refused).toBe('session_full');
});
