import { expect, test } from 'bun:test';
import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from './config.ts';
import type { Role } from './http/gate.ts';
import { peerConnectionOptions } from './ice.ts';

const now = 1_800_000_000_000;
const hour_s = 3_600;
const year_s = 365 * 24 * hour_s;

/** The ICE servers that a connection "7" of that role gets. */
const given = async (role: Role, peer_options: object, ...args: string[]) => {
  const folder = await mkdtemp(join(tmpdir(), 'vitrina-'));
  try {
    const file = join(folder, 'peer.json');
    await Bun.write(file, JSON.stringify(peer_options));
    const loaded = await loadConfig(['--peer_options_file', file, ...args], {});
    if (!('config' in loaded)) throw new Error(JSON.stringify(loaded));
    return peerConnectionOptions(loaded.config, role, {}, '7', now);
  } finally {
    await rm(folder, { recursive: true });
  }
};

const credential = (lifetime_s: number) => {
  const username = `${now / 1_000 + lifetime_s}:7`;
  return { username, credential: createHmac('sha1', 's').update(username).digest('base64') };
};

const stun = { urls: ['stun:stun.example:3478'] };
const mixed = ['stun:turn.example:3478', 'turn:turn.example:3478'];

test('peerConnectionOptions() gives the TURN servers of the peer options a credential of the connection', async () => {
  const options = {
    iceTransportPolicy: 'relay',
    iceServers: [stun, { urls: mixed }, { urls: 'turns:t.example', username: 'shared', credential: 'old' }],
  };
  expect(await given('player', options, '--turn_secret', 's')).toEqual({
    iceTransportPolicy: 'relay',
    iceServers: [
      stun,
      { urls: mixed, ...credential(hour_s) },
      { urls: ['turns:t.example'], ...credential(hour_s) },
    ],
  });
});

test('peerConnectionOptions() adds the servers of --turn_urls', async () => {
  const args = ['--turn_secret', 's', '--turn_urls', 'turn:u.example', '--turn_ttl', '60'];
  expect(await given('player', { iceServers: [stun] }, ...args)).toEqual({
    iceServers: [stun, { urls: ['turn:u.example'], ...credential(60) }],
  });
});

test.each(['streamer', 'sfu'] as const)(
  'peerConnectionOptions() gives a %s a credential that outlasts it, whatever --turn_ttl says',
  async (role) => {
    const args = ['--turn_secret', 's', '--turn_ttl', '60'];
    expect(await given(role, { iceServers: [{ urls: ['turn:t.example'] }] }, ...args)).toEqual({
      iceServers: [{ urls: ['turn:t.example'], ...credential(10 * year_s) }],
    });
  },
);

test('peerConnectionOptions() leaves what is written as it is without a secret', async () => {
  const options = { iceServers: [{ urls: mixed, username: 'u', credential: 'c' }] };
  expect(await given('player', options)).toEqual(options);
});
