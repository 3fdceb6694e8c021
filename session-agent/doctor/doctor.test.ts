import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { chmodSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { createAuthority, type TestAuthority } from '../../shared/testing/certificates.ts';
import { startCoturn, type TestTurn } from '../../shared/testing/coturn.ts';
import { freePorts } from '../../shared/testing/free-ports.ts';
import { turnServer } from '../../shared/turn.ts';
import { startDoctorRig, startFakeStun } from '../testing/doctor-rig.ts';
import { key } from '../testing/rig.ts';
import { doctor } from './doctor.ts';

setDefaultTimeout(120_000);

let authority: TestAuthority;
let server_certificate: { cert: string; key: string };
let turn: TestTurn;
beforeAll(async () => {
  authority = createAuthority();
  server_certificate = authority.issue('DNS:localhost,DNS:coordinator.test,IP:127.0.0.1');
  turn = await startCoturn(
    ...['use-auth-secret', 'static-auth-secret=north', 'realm=vitrina.example'],
    'listening-ip=127.0.0.2',
    ...[`cert=${server_certificate.cert}`, `pkey=${server_certificate.key}`],
  );
});
afterAll(async () => {
  await turn?.[Symbol.asyncDispose]();
  authority?.[Symbol.dispose]();
});

/** What the coordinator would hand out: one TURN server by all three transports. */
const relays = (secret = 'north', ports = { udp: turn.port, tcp: turn.port, tls: turn.tls_port }) => {
  const urls = [
    `turn:127.0.0.1:${ports.udp}?transport=udp`,
    `turn:127.0.0.1:${ports.tcp}?transport=tcp`,
    `turns:localhost:${ports.tls}?transport=tcp`,
  ];
  return turnServer({ urls, secret, user: 'host.x', expires: Date.now() + 600_000 });
};

const all = [
  ...['config', 'rights', 'DNS', 'TCP', 'TLS', 'coordinator', 'key', 'clock', 'STUN'],
  ...[
    'TURN over UDP',
    'TURN over TCP',
    'TURN over TLS',
    'app Flat',
    'GPU',
    'ports',
    'log folder',
    'state folder',
  ],
];

describe(`${doctor.name}() on a host that is all right`, () => {
  test('doctor() finds each hop good, in order, and exits 0', async () => {
    await using rig = startDoctorRig({
      tls: server_certificate,
      host: 'localhost',
      settings: { ca_file: authority.file },
      check: { ice_servers: [relays()], connected: true },
      cards: '0, NVIDIA RTX A5000, 550.54.14, 24564\\n',
    });
    const { exit, lines, names, text } = await rig.examine();
    expect(names).toEqual(all);
    expect(
      Object.values(lines)
        .filter(({ state }) => state !== 'ok')
        .map(({ name, found }) => [name, found]),
    ).toEqual([]);
    expect(exit).toBe(0);
    expect(lines.TLS?.found).toContain('a good certificate by Test authority (ca_file)');
    expect(lines.coordinator?.found).toContain('version 1.0.0');
    expect(lines.key?.found).toBe('the coordinator knows host 1; its agent is connected now');
    expect(lines.STUN?.found).toContain('on a private network too, and sees 127.0.0.1');
    expect(lines.GPU?.found).toBe('0: NVIDIA RTX A5000, driver 550.54.14, 24564 MB');
    for (const secret of [key, relays().credential ?? '']) expect(text).not.toContain(secret);
    expect(rig.asked.map(({ url }) => url.pathname + url.search)).toEqual([
      '/agent/check?server_name=host+1',
    ]);
  });

  test('doctor() goes through the proxy of HTTPS_PROXY, and says so', async () => {
    await using rig = startDoctorRig({
      tls: server_certificate,
      host: 'coordinator.test',
      settings: { ca_file: authority.file },
    });
    const asked: string[] = [];
    const proxy = createServer((client) => {
      client.on('error', () => {});
      client.once('data', (bytes) => {
        const head = bytes.toString();
        asked.push(head.split('\r\n')[0] ?? '');
        if (!head.includes(`Basic ${Buffer.from('anna:p w').toString('base64')}`)) {
          client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
          return;
        }
        const onward = connect(rig.port, '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
        onward.on('error', () => {});
        client.pipe(onward).pipe(client);
      });
    });
    const port = await new Promise<number>((resolve) => {
      proxy.listen(0, '127.0.0.1', () => {
        const address = proxy.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const through = (identity: string) =>
      rig.examine({ environment: { HTTPS_PROXY: `http://${identity}127.0.0.1:${port}` } });
    const { exit, lines, text } = await through('anna:p%20w@');
    expect([exit, lines.TCP?.found]).toEqual([
      0,
      `coordinator.test:${rig.port} answers through the proxy 127.0.0.1:${port} (HTTPS_PROXY)`,
    ]);
    expect([lines.TLS?.state, lines.key?.state]).toEqual(['ok', 'ok']);
    expect(text).not.toContain('p%20w');
    expect(new Set(asked)).toEqual(new Set([`CONNECT coordinator.test:${rig.port} HTTP/1.1`]));

    const refused = await through('');
    expect(refused.lines.TCP).toMatchObject({ state: 'fail', found: expect.stringContaining('(407)') });
    proxy.close();
  });
});

describe(`${doctor.name}() names the hop that fails`, () => {
  const skipped = (lines: Record<string, { state: string }>, names: string[]) =>
    names.filter((name) => lines[name]?.state !== 'skip');

  test('doctor() says which line of config.json is wrong', async () => {
    await using rig = startDoctorRig();
    writeFileSync(rig.config_file, '{\n  "seats": 0\n}');
    const { exit, lines, names } = await rig.examine();
    expect([exit, lines.config?.state, lines.DNS?.found]).toEqual([1, 'fail', 'not tried: config failed']);
    expect(names.filter((name) => name === 'config').length).toBeGreaterThan(3);
  });

  test('doctor() names DNS for a name that does not exist', async () => {
    await using rig = startDoctorRig({ host: 'nowhere.invalid' });
    const { exit, lines } = await rig.examine();
    expect([exit, lines.DNS?.state]).toEqual([1, 'fail']);
    expect(lines.DNS?.found).toStartWith('nowhere.invalid: ');
    expect(lines.DNS?.advice).toContain('"coordinator" in config.json');
    expect(skipped(lines, all.slice(3, 12))).toEqual([]);
    expect(lines['app Flat']?.state).toBe('ok');
  });

  test('doctor() names TCP when the coordinator is down', async () => {
    const port = await freePorts();
    await using rig = startDoctorRig({ settings: { coordinator: `http://127.0.0.1:${port}` } });
    const { exit, lines } = await rig.examine();
    expect([exit, lines.DNS?.state, lines.TCP?.found]).toEqual([
      1,
      'ok',
      `127.0.0.1:${port}: nothing listens there`,
    ]);
    expect(skipped(lines, all.slice(4, 12))).toEqual([]);
    expect(lines.TLS?.found).toBe('not tried: TCP failed');
  });

  test('doctor() names TLS for a certificate that is of nobody known, of another name, or of the past', async () => {
    const past = authority.issue('DNS:localhost', { from: '20200101000000Z', to: '20200301000000Z' });
    const other = authority.issue('DNS:other.example');
    const soon = authority.issue('DNS:localhost,DNS:coordinator.test,IP:127.0.0.1', {
      from: '20200101000000Z',
      to: `${new Date(Date.now() + 5 * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '')}`,
    });
    const rows = [
      [server_certificate, {}, 'fail', 'is not trusted'],
      [other, { ca_file: authority.file }, 'fail', 'ERR_TLS_CERT_ALTNAME_INVALID'],
      [past, { ca_file: authority.file }, 'fail', 'expired on 2020-03-01'],
      [soon, { ca_file: authority.file }, 'warn', 'a good certificate'],
      [server_certificate, { ca_file: '/nowhere/ca.pem' }, 'fail', 'ca_file cannot be read'],
      [server_certificate, { ca_file: server_certificate.key }, 'fail', 'holds no certificate'],
    ] as const;
    for (const [tls, settings, state, text] of rows) {
      await using rig = startDoctorRig({ tls, host: 'localhost', settings });
      const { lines, exit } = await rig.examine();
      expect([text, lines.TLS]).toEqual([
        text,
        expect.objectContaining({ state, found: expect.stringContaining(text) }),
      ]);
      expect(exit).toBe(state === 'fail' ? 1 : 0);
      if (state === 'fail') expect(rig.asked).toEqual([]);
    }
    await using plain = startDoctorRig({ tls: server_certificate, host: 'localhost' });
    writeFileSync(plain.config_file, (await Bun.file(plain.config_file).text()).replace('https:', 'http:'));
    expect((await plain.examine()).lines.coordinator?.state).toBe('fail');
    await using address = startDoctorRig({ tls: server_certificate, settings: { ca_file: authority.file } });
    expect((await address.examine()).lines.TLS?.state).toBe('ok');
  });

  test('doctor() names the coordinator when something else answers, or another version', async () => {
    const rows: [answer: () => Response, found: string][] = [
      [() => new Response('<html>'), 'something else answers there'],
      [() => new Response('x', { status: 404 }), 'knows no /agent/check (404)'],
      [() => new Response(null, { status: 502 }), 'answers with 502'],
      [() => Response.json({ code: 'misdirected' }, { status: 421 }), 'does not serve this name'],
      [() => Response.redirect('https://b.example/agent'), 'leads on to https://b.example/agent (302)'],
    ];
    for (const [answer, found] of rows) {
      await using rig = startDoctorRig({ answer });
      const { lines } = await rig.examine();
      expect(lines.coordinator).toMatchObject({ state: 'fail', found });
      expect([lines.key?.state, lines.STUN?.found]).toEqual(['skip', 'not tried: coordinator failed']);
    }
    for (const [protocols, advice] of [
      [{ oldest: 90, newest: 99 }, 'Update this agent.'],
      [{ oldest: 0, newest: 0 }, 'Update the coordinator.'],
    ] as const) {
      await using rig = startDoctorRig({ check: { protocols } });
      expect((await rig.examine()).lines.coordinator).toMatchObject({ state: 'fail', advice });
    }
  });

  test('doctor() names the key when the coordinator has another, and says when the host is drained', async () => {
    await using wrong = startDoctorRig({ settings: { key: 'another key than the right one' } });
    const { exit, lines } = await wrong.examine();
    expect([exit, lines.coordinator?.state, lines.key?.state, lines.clock?.state]).toEqual([
      1,
      'ok',
      'fail',
      'skip',
    ]);
    expect(lines.key?.found).toContain('no host "host 1" with this key');
    await using drained = startDoctorRig({ check: { draining: true } });
    expect((await drained.examine()).lines.key).toMatchObject({
      state: 'warn',
      found: expect.stringContaining('drained'),
    });
  });

  test('doctor() warns of a clock that is off by more than five seconds, whichever way', async () => {
    await using rig = startDoctorRig();
    for (const [off_ms, state, way] of [
      [60_000, 'warn', 'ahead of'],
      [-3_600_000, 'warn', 'behind'],
      [2_000, 'ok', 'ahead of'],
    ] as const) {
      const clock = { ...systemClock, now: () => Date.now() + off_ms };
      expect((await rig.examine({ clock })).lines.clock).toMatchObject({
        state,
        found: expect.stringContaining(way),
      });
    }
  });

  test('doctor() names TURN when its secret is another', async () => {
    await using rig = startDoctorRig({ check: { ice_servers: [relays('south')] } });
    const { exit, lines } = await rig.examine();
    expect([exit, lines.STUN?.state]).toEqual([1, 'ok']);
    for (const transport of ['UDP', 'TCP', 'TLS']) {
      const line = lines[`TURN over ${transport}`];
      expect(line).toMatchObject({ state: 'fail', found: expect.stringMatching(/refuses: 401/) });
      expect(line?.advice).toContain('static-auth-secret');
    }
  });

  test('doctor() warns of TURN over TLS whose certificate nobody trusts, or that ca_file does not cover', async () => {
    using stranger = createAuthority();
    const check = { ice_servers: [relays()] };
    for (const settings of [{}, { ca_file: stranger.file }]) {
      await using rig = startDoctorRig({ check, settings });
      const { exit, lines } = await rig.examine();
      expect([exit, lines['TURN over TLS']]).toEqual([
        0,
        expect.objectContaining({
          state: 'warn',
          found: expect.stringContaining('not trusted'),
          advice: expect.stringContaining('ca_file'),
        }),
      ]);
    }
  });

  test('doctor() names each transport of TURN on whose port nobody listens, and UDP that nobody answers', async () => {
    const closed = await freePorts();
    await using blocked = startDoctorRig({
      check: { ice_servers: [relays('north', { udp: closed, tcp: closed, tls: closed })] },
    });
    const { lines } = await blocked.examine();
    expect([lines.STUN?.state, lines.STUN?.found]).toEqual(['fail', 'no server answers: UDP is blocked']);
    expect(lines['TURN over UDP']?.found).toMatch(/\?transport=udp: no answer within/);
    expect(lines['TURN over TCP']?.found).toEndWith('?transport=tcp: nothing listens there');
    expect(lines['TURN over TLS']?.found).toEndWith('?transport=tcp: nothing listens there');
    expect(lines['TURN over UDP']?.advice).toContain(`Open outgoing UDP ${closed} to 127.0.0.1`);
  });

  test('doctor() does not wait for a coordinator that never answers', async () => {
    const silent = Promise.withResolvers<Response>();
    await using rig = startDoctorRig({ answer: () => silent.promise });
    const { lines } = await rig.examine();
    expect(lines.coordinator).toMatchObject({ state: 'fail', found: 'no answer within 5 s' });
    silent.resolve(new Response());
  });

  test('doctor() says what is not set up', async () => {
    await using none = startDoctorRig();
    const { exit, lines } = await none.examine();
    expect([exit, lines.STUN?.state, lines['TURN over UDP']?.state, lines['TURN over TLS']?.state]).toEqual([
      0,
      'warn',
      'warn',
      'skip',
    ]);
    const udp = { ...relays(), urls: [`turn:127.0.0.1:${turn.port}`] };
    await using some = startDoctorRig({ check: { ice_servers: [udp] } });
    const found = (await some.examine()).lines;
    expect([found['TURN over UDP']?.state, found['TURN over TLS']?.advice]).toEqual([
      'ok',
      expect.stringContaining('turns:HOST:443'),
    ]);
  });
});

describe(`${doctor.name}() tells the kind of NAT`, () => {
  const kinds: [kind: string, offset: number, text: string, state: string][] = [
    ['one that gives a socket one address', 0, 'endpoint-independent', 'ok'],
    ['one that gives it another for each peer', 1, 'symmetric', 'warn'],
  ];
  for (const [kind, offset, text, state] of kinds) {
    test(`doctor() recognises ${kind}`, async () => {
      await using first = await startFakeStun('127.0.0.1', (port) => ({ address: '203.0.113.5', port }));
      await using second = await startFakeStun('127.0.0.2', (port) => ({
        address: '203.0.113.5',
        port: port + offset,
      }));
      const urls = [`stun:127.0.0.1:${first.port}`, `stun:127.0.0.2:${second.port}`];
      await using rig = startDoctorRig({ check: { ice_servers: [{ urls }] } });
      const { STUN } = (await rig.examine()).lines;
      expect([STUN?.state, STUN?.found]).toEqual([state, expect.stringContaining(text)]);
      expect(STUN?.found).toStartWith('public address 203.0.113.5; a NAT');
    });
  }
});

describe(`${doctor.name}() looks at the machine`, () => {
  test('doctor() says what is wrong with apps, ports, folders, rights and cards', async () => {
    await using rig = startDoctorRig({
      settings: {
        apps: [
          { rc_name: 'Flat', path: '/nowhere/Flat' },
          { rc_name: 'Villa', path: process.execPath },
        ],
        apps_folders: ['/nowhere'],
        cards: [
          { index: 0, seats: 1 },
          { index: 1, seats: 1 },
        ],
        log_folder: '/proc/none',
      },
      cards: '0, NVIDIA GeForce RTX 4090, 560.35, 24564\\n',
    });
    chmodSync(rig.config_file, 0o644);
    const { exit, lines } = await rig.examine();
    expect([exit, lines['app Flat']?.found]).toEqual([1, '/nowhere/Flat does not exist']);
    expect(lines['app Villa']?.found).toContain('is in none of apps_folders');
    expect(lines.rights).toMatchObject({ state: 'warn', advice: `chmod 600 ${rig.config_file}` });
    expect(lines.GPU?.found).toContain('there is no card 1');
    expect(lines['log folder']?.state).toBe('fail');
    expect(lines['state folder']).toMatchObject({
      state: 'ok',
      found: expect.stringContaining(join(rig.folder, 'state')),
    });
  });

  test('doctor() reminds of a host without apps', async () => {
    await using rig = startDoctorRig({ settings: { apps: [] } });
    const { exit, lines } = await rig.examine();
    expect([exit, lines.apps?.state, lines.apps?.advice]).toEqual([
      0,
      'warn',
      'session-agent apps add NAME PATH',
    ]);
  });

  test('doctor() counts taken ports, and misses the driver', async () => {
    await using taken = await using_port();
    await using rig = startDoctorRig({
      settings: { seats: 1, ports: { from: taken.port, to: taken.port + 2 } },
    });
    const { lines } = await rig.examine();
    expect(lines.ports).toMatchObject({
      state: 'warn',
      found: expect.stringContaining('and 1 seat needs 3'),
    });
    expect(lines.GPU).toMatchObject({ state: 'warn', advice: expect.stringContaining('NVIDIA') });
  });
});

/** A port that something listens on, with room above it. */
const using_port = async (): Promise<AsyncDisposable & { port: number }> => {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
  return { port, [Symbol.asyncDispose]: async () => void server.close() };
};
