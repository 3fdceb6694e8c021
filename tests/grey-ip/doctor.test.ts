import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, type TestAuthority } from '../../shared/testing/certificates.ts';
import { ensureBuilt, executable, portRange, until } from '../e2e/harness.ts';
import { HOST_ROUTER, type Network, PUBLIC_ADDRESS, startNetwork } from './network.ts';

setDefaultTimeout(300_000);

const OTHER_ADDRESS = '203.0.113.11';
const key = 'a-key-for-this-test-only';

let folder: string;
let authority: TestAuthority;
beforeAll(async () => {
  await ensureBuilt();
  folder = mkdtempSync(join(tmpdir(), 'vitrina-doctor-'));
  authority = createAuthority();
});
afterAll(() => {
  authority?.[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

const turn_urls = [
  `turn:${PUBLIC_ADDRESS}:3478?transport=udp`,
  `turn:${PUBLIC_ADDRESS}:3478?transport=tcp`,
  `turns:${PUBLIC_ADDRESS}:5349?transport=tcp`,
];

const writeJson = (file: string, content: unknown) =>
  writeFileSync(file, JSON.stringify(content), { mode: 0o600 });

/** A coordinator and Debian's coturn, with two addresses, on the public machine. */
const startPublic = (network: Network): ChildProcess[] => {
  network.run('public', 'ip', 'addr', 'add', `${OTHER_ADDRESS}/24`, 'dev', 'out');
  const data = join(folder, 'data');
  mkdirSync(join(data, 'pictures'), { recursive: true });
  writeJson(join(data, 'servers.json'), [
    {
      server_name: 'host-1',
      ip: '10.77.0.2',
      port: 1,
      rc_info: { rc_name: 'Loft', info: { description: [{ en: 'A loft' }] } },
      key,
    },
  ]);
  writeJson(join(data, 'configuration.json'), {
    ip: PUBLIC_ADDRESS,
    port: 8080,
    time_between_updates_seconds: 30,
    turn: { urls: turn_urls, secret_file: 'turn.secret' },
  });
  writeFileSync(join(data, 'turn.secret'), 'north');
  const { cert, key: private_key } = authority.issue(`IP:${PUBLIC_ADDRESS}`);
  const inside = (...command: string[]) =>
    spawn('ip', [...network.inside('public').slice(1), ...command], { stdio: 'ignore' });
  return [
    inside(executable('coordinator-linux-x64'), 'serve', '--data', data),
    inside(
      ...['turnserver', '-n', '--no-cli', '--no-dtls', '--log-file', 'stdout', '--use-auth-secret'],
      ...['--static-auth-secret=north', '--realm=vitrina.example', `--cert=${cert}`, `--pkey=${private_key}`],
      ...[`--listening-ip=${PUBLIC_ADDRESS}`, `--listening-ip=${OTHER_ADDRESS}`, '--listening-port=3478'],
      ...[`--pidfile=${join(folder, 'turn.pid')}`, `--userdb=${join(folder, 'userdb')}`],
    ),
  ];
};

type Lines = Record<string, { state: string; found: string }>;

/** What the doctor of the host behind its router says. */
const examine = (network: Network): Lines => {
  const config_file = join(folder, 'config.json');
  writeJson(config_file, {
    coordinator: `http://${PUBLIC_ADDRESS}:8080`,
    server_name: 'host-1',
    key,
    seats: 1,
    ports: portRange(),
    apps: [{ rc_name: 'Loft', path: '/bin/true' }],
  });
  const command = [executable('session-agent-linux-x64'), 'doctor', '--json', '--config', config_file];
  const [program = '', ...args] = [...network.inside('host'), ...command];
  let text: string;
  try {
    text = execFileSync(program, args, { encoding: 'utf8' });
  } catch (error) {
    // Exit code 1: something failed, and the report says what.
    text = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
  }
  const { lines }: { lines: { name: string; state: string; found: string }[] } = JSON.parse(text);
  return Object.fromEntries(lines.map(({ name, ...line }) => [name, line]));
};

const allUp = ({ key: known, STUN, 'TURN over TLS': tls }: Lines): boolean =>
  known?.state === 'ok' && STUN?.state !== 'fail' && tls?.state !== 'fail';

for (const [masquerade, kind] of [
  ['masquerade', 'endpoint-independent'],
  ['masquerade random', 'symmetric'],
] as const) {
  test(`doctor() behind ${masquerade} sees the router's address and a NAT that is ${kind}`, async () => {
    const network = startNetwork(masquerade);
    const programs = startPublic(network);
    try {
      const lines = await until('all is up', () => examine(network), allUp, 120_000);
      expect(lines.STUN?.found).toStartWith(`public address ${HOST_ROUTER}; a NAT`);
      expect(lines.STUN?.found).toContain(kind);
      for (const transport of ['UDP', 'TCP', 'TLS']) {
        expect(lines[`TURN over ${transport}`]?.found).toContain('gave the relay');
      }

      const block = (...rule: string[]) =>
        network.run('router-a', 'nft', 'insert', 'rule', 'ip', 'filter', 'forward', ...rule, 'drop');
      block('meta', 'l4proto', 'udp');
      block('tcp', 'dport', '5349');
      const blocked = examine(network);
      expect(blocked.STUN).toMatchObject({ state: 'fail' });
      expect(['UDP', 'TCP', 'TLS'].map((transport) => blocked[`TURN over ${transport}`]?.state)).toEqual([
        'fail',
        'ok',
        'fail',
      ]);
      expect(blocked.clock?.state).toBe('ok');

      block('tcp', 'dport', '8080');
      const cut = examine(network);
      expect([cut.DNS?.state, cut.TCP, cut.key?.state]).toEqual([
        'ok',
        expect.objectContaining({ state: 'fail', found: `${PUBLIC_ADDRESS}:8080: no answer within 4 s` }),
        'skip',
      ]);
    } finally {
      for (const program of programs) program.kill('SIGKILL');
      network.stop();
    }
  });
}
