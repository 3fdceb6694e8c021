import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { systemClock } from '../../shared/clock.ts';
import type { IceServer } from '../../shared/protocol/ice.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { startCoturn } from '../../shared/testing/coturn.ts';
import { fakeIds } from '../../shared/testing/ids.ts';
import { turnServer } from '../../shared/turn.ts';
import { memoryBus } from '../testing/bus.ts';
import { memoryDatabase } from '../testing/database.ts';
import { readySession } from '../testing/domain.ts';
import { recordedLog } from '../testing/log.ts';
import { memoryStore } from '../testing/store.ts';
import { allocateRelay } from '../testing/turn-client.ts';
import { appIce, participantIce } from './ice.ts';

setDefaultTimeout(60_000);

const stun = { urls: ['stun:stun.example:3478'] };
const turn = { urls: ['turn:turn.example:3478?transport=udp'], secret_file: 'turn.secret', ttl_seconds: 600 };

const services = (patch: object, secret?: string, clock = fakeClock()) => {
  const store = memoryStore([], { ice_servers: [stun], ...patch });
  if (secret !== undefined) store.secrets.set('turn', secret);
  return {
    db: memoryDatabase(),
    store,
    clock,
    bus: memoryBus(clock),
    ids: fakeIds(),
    log: recordedLog().log,
  };
};

const credentialOf = ({ username = '', credential: password = '' }: IceServer = { urls: [] }) => ({
  username,
  password,
});

const session = { ...readySession(), longest_end: systemClock.now() + 365 * 86_400_000 };

describe('participantIce()', () => {
  test('participantIce() is what the configuration lists while there is no TURN server', () => {
    expect(participantIce(services({}), session, 'p')).toEqual([stun]);
    expect(appIce(services({}), session)).toEqual([stun]);
  });

  test('participantIce() gives each participant and the app a credential of its own that expires', () => {
    const given = services({ turn }, 'north');
    const seconds = Math.floor(given.clock.now() / 1_000);
    const servers = [
      participantIce(given, session, 'p'),
      participantIce(given, session, 'q'),
      appIce(given, session),
    ];
    for (const [first, second] of servers) {
      expect(first).toEqual(stun);
      expect(second?.urls).toEqual(turn.urls);
    }
    expect(servers.map(([, second]) => second?.username)).toEqual([
      `${seconds + 630}:${session.id}.p`,
      `${seconds + 630}:${session.id}.q`,
      `${Math.floor(session.longest_end / 1_000) + 30}:${session.id}.app`,
    ]);
    expect(new Set(servers.map(([, second]) => second?.credential)).size).toBe(3);
  });

  test('participantIce() lasts no longer than the session may', () => {
    const given = services({ turn }, 'north');
    const soon = { ...session, longest_end: given.clock.now() + 60_000 };
    const [, relay] = participantIce(given, soon, 'p');
    expect(relay?.username).toBe(`${Math.floor(given.clock.now() / 1_000) + 90}:${session.id}.p`);
  });

  test('participantIce() lets its participant in at coturn, and nobody with an expired or altered credential', async () => {
    await using server = await startCoturn(
      'use-auth-secret',
      'static-auth-secret=north',
      'realm=vitrina.example',
    );
    const given = { ...services({ turn }, 'north'), clock: systemClock };
    const allocate = (credential: { username: string; password: string }) =>
      allocateRelay(server.port, credential);
    const good = credentialOf(participantIce(given, session, 'p')[1]);
    expect(await allocate(good)).toEqual({ relayed: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
    expect(await allocate(credentialOf(appIce(given, session)[1]))).toHaveProperty('relayed');

    const order = { urls: turn.urls, secret: 'north', user: `${session.id}.p` };
    const [expiry, user] = good.username.split(':');
    const bad = {
      'expired a while ago': credentialOf(turnServer({ ...order, expires: Date.now() - 10_000 })),
      'expired long ago': credentialOf(turnServer({ ...order, expires: 1_000_000 })),
      'made with another secret': credentialOf(
        turnServer({ ...order, secret: 'south', expires: Date.now() + 60_000 }),
      ),
      'prolonged by its holder': { ...good, username: `${Number(expiry) + 3_600}:${user}` },
      'moved to another participant': { ...good, username: `${expiry}:${session.id}.q` },
      'without an expiry': { ...good, username: user ?? '' },
      'with another password': { ...good, password: `${good.password}A` },
      'with no password': { ...good, password: '' },
    };
    for (const [what, credential] of Object.entries(bad)) {
      expect([what, await allocate(credential)]).toEqual([what, { error: 401 }]);
    }
  });
});
