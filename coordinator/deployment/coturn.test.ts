import { expect, setDefaultTimeout, test } from 'bun:test';
import { startCoturn } from '../../shared/testing/coturn.ts';
import { turnServer } from '../../shared/turn.ts';
import { sampleDeployment } from '../testing/deployment.ts';
import { allocateRelay, permitPeers } from '../testing/turn-client.ts';
import { coturn, userQuota } from './coturn.ts';
import type { Deployment } from './deployment.ts';

setDefaultTimeout(60_000);

const printed = (changes: Partial<Deployment>): string =>
  coturn({ ...sampleDeployment, ...changes }, '192.0.2.1', 'north');

const credentialOf = (user: string) => {
  const order = { urls: [], secret: 'north', user, expires: Date.now() + 600_000 };
  const { username = '', credential: password = '' } = turnServer(order);
  return { username, password };
};

/** The printed options, without the addresses, ports and certificates that the test's own server has. */
const optionsOf = (text: string): string[] =>
  text
    .split('\n')
    .filter(
      (line) =>
        !/^(#|$|cert=|pkey=|no-(cli|dtls)|log-file=|(relay|listening)-ip=|(tls-)?listening-port=)/.test(line),
    );

test('coturn() is a relay for our participants to public addresses only, large enough for a full session', async () => {
  await using server = await startCoturn(...optionsOf(printed({ turn_urls: 1 })));
  const { username, password } = credentialOf('s.p');
  expect(await allocateRelay(server.port, { username, password })).toHaveProperty('relayed');
  expect(await allocateRelay(server.port, { username, password: 'north' })).toEqual({ error: 401 });
  const private_peers = [
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.0.1',
    '169.254.169.254',
    '172.31.0.1',
    '192.0.0.8',
    '192.168.1.1',
    '198.19.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '0:0:0:0:0:0:0:1',
    'fd00:0:0:0:0:0:0:1',
    'fe80:0:0:0:0:0:0:1',
    '0:0:0:0:0:ffff:7f00:1',
    '0:0:0:0:0:ffff:a01:203',
    '64:ff9b:0:0:0:0:a01:203',
    '2002:7f00:1:0:0:0:0:1',
  ];
  const found = await permitPeers(server.port, { username, password }, [...private_peers, '9.9.9.9']);
  expect(found.get('9.9.9.9')).toBe(0);
  expect(private_peers.filter((peer) => found.get(peer) === 0)).toEqual([]);

  // The app of a session with 32 members who all relay: each costs three relays for a moment.
  const app = credentialOf('s.app');
  const relays = await Promise.all(
    Array.from({ length: userQuota(1) }, () => allocateRelay(server.port, app)),
  );
  expect(relays.filter((one) => 'error' in one)).toEqual([]);
  expect(relays).toHaveLength(96);
  expect(await allocateRelay(server.port, app)).toEqual({ error: 486 });
});

test('coturn() always says from where relays are given, once for each address that it listens on', () => {
  const lines = (changes: Partial<Deployment>) =>
    printed(changes)
      .split('\n')
      .filter((line) => /^(relay|listening)-ip=|^user-quota=|^total-quota=/.test(line));
  const quotas = ['user-quota=288', 'total-quota=16384'];
  expect(lines({})).toEqual(['listening-ip=192.0.2.1', 'relay-ip=192.0.2.1', ...quotas]);
  expect(lines({ turn_host: 'turn.vitrina.example' })).toEqual([
    ...['listening-ip=127.0.0.1', 'listening-ip=192.0.2.1', 'relay-ip=192.0.2.1', ...quotas],
  ]);
  expect(lines({ turn_urls: 6 })).toContain('user-quota=576');
});
