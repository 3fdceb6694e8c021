import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  setDefaultTimeout,
  test,
} from 'bun:test';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, type TestAuthority } from '../../shared/testing/certificates.ts';
import { ensureBuilt, executable, patient, portRange, until } from '../e2e/harness.ts';
import {
  HOST_ROUTER,
  type Network,
  PUBLIC_ADDRESS,
  startNetwork,
  VISITOR_ROUTER,
} from '../grey-ip/network.ts';
import { type Machine, type Started, startMachine } from './machine.ts';
import type { Asked, Found } from './visitor.ts';

setDefaultTimeout(600_000);

const host = 'vitrina.example';
const turn_host = `turn.${host}`;
const app = 'Garden';
const admin = { email: 'anna@example.com', password: 'correct horse battery' };
/** WebSockets that the coordinator lets one address open. */
const connections_per_address = 4;
const repository = join(import.meta.dir, '..', '..');
const coordinator = executable('coordinator-linux-x64');

let folder: string;
let authority: TestAuthority;
let network: Network;
let server: Machine;
let studio: Machine;
let visitor: Machine;
/** Of one test alone, as it remembers what each address has asked for. */
let serving: Started;

const fileOf = (name: string) => join(folder, name);

/** Prints a program's configuration and puts it where it says that it belongs; what it says. */
const install = (program: string, ...flags: string[]): string => {
  const data = ['--data', fileOf('data'), '--host', host];
  const text = server.run([coordinator, 'config', program, ...data, ...flags]);
  server.write(/^# (\/\S+), printed by/.exec(text)?.[1] ?? '', text);
  return text;
};
const shared = ['--turn_host', turn_host];

const writeData = () => {
  mkdirSync(fileOf('data/pictures'), { recursive: true });
  writeFileSync(fileOf('data/servers.json'), '[]');
  writeFileSync(fileOf('data/turn.secret'), 'north\n');
  const urls = [
    `turn:${host}:3478?transport=udp`,
    `turn:${host}:443?transport=tcp`,
    `turns:${turn_host}:443?transport=tcp`,
  ];
  const configuration = {
    ip: '127.0.0.1',
    port: 8080,
    time_between_updates_seconds: 30,
    public_url: `https://${host}`,
    trusted_proxy_hops: 1,
    turn: { urls, secret_file: 'turn.secret' },
    connections_per_address,
    ...patient,
  };
  writeFileSync(fileOf('data/configuration.json'), JSON.stringify(configuration));
};

/** A certificate for both names, where each program expects it. */
const writeCertificates = () => {
  const issued = authority.issue(`DNS:${host},DNS:${turn_host}`);
  const [certificate, key] = [readFileSync(issued.cert, 'utf8'), readFileSync(issued.key, 'utf8')];
  const places = { 'fullchain.pem': certificate, 'privkey.pem': key };
  for (const [name, text] of Object.entries(places)) {
    server.write(`/etc/letsencrypt/live/${host}/${name}`, text);
    server.write(`/etc/caddy/${name}`, text);
  }
  server.write('/etc/haproxy/vitrina.pem', certificate + key);
};

const startCoturn = (): Started => {
  const text = install('coturn', ...shared, '--address', PUBLIC_ADDRESS);
  server.run(['sh', '-ec', 'chown root:turnserver /etc/turnserver.conf; chmod 640 /etc/turnserver.conf']);
  const [, rule = ''] = /^# +nft '(.*)'$/m.exec(text) ?? [];
  server.run(['nft', rule]);
  return server.start([
    'setpriv',
    '--reuid=turnserver',
    '--regid=turnserver',
    '--clear-groups',
    '--',
    'turnserver',
    '-c',
    '/etc/turnserver.conf',
    '--pidfile=',
  ]);
};

const untilHeard = (program: Started, port: number) =>
  until(
    `something listens on port ${port}`,
    () => {
      if (!program.running()) throw new Error(`the program has ended:\n${program.lines.join('\n')}`);
      return server.run(['ss', '-Hltn', `sport = :${port}`]);
    },
    (listening) => listening !== '',
  );

const startCoordinator = async (): Promise<Started> => {
  const program = server.start([coordinator, 'serve', '--data', fileOf('data')]);
  await untilHeard(program, 8080);
  return program;
};

/** The host's agent, behind its router, when it has got through to the coordinator. */
const startAgent = async (): Promise<Started> => {
  const agent = studio.start([
    executable('session-agent-linux-x64'),
    'run',
    '--config',
    fileOf('config.json'),
  ]);
  await until(
    'the agent is connected',
    () => agent.lines.join('\n'),
    (lines) => lines.includes('connected to the coordinator'),
  );
  return agent;
};

/** The host gets its key through a proxy, as it does in life, and the demo app. */
const enrol = (token: string) => {
  const agent = executable('session-agent-linux-x64');
  const ca = ['--ca', authority.file];
  studio.run([
    agent,
    'enroll',
    `https://${host}`,
    `--token=${token}`,
    ...ca,
    '--config',
    fileOf('config.json'),
  ]);
  const config = Object(Bun.JSONC.parse(readFileSync(fileOf('config.json'), 'utf8')));
  const words = [
    '-PixelStreamingURL={streamer_url}',
    '-PixelStreamingID={streamer_id}',
    '-ResX=320',
    '-ResY=180',
  ];
  const main = join(repository, 'session-agent', 'demo-app', 'main.ts');
  const apps = [{ rc_name: app, path: process.execPath, arguments: [main, ...words, '-DemoStyle=garden'] }];
  writeFileSync(
    fileOf('config.json'),
    JSON.stringify({ ...config, ports: portRange(), log_folder: fileOf('logs'), apps }),
    { mode: 0o600 },
  );
};

const installNginx = () => {
  install('nginx', ...shared);
  install('nginx-stream', ...shared);
  // What the printed comment asks for.
  const edits = ['1i worker_rlimit_nofile 32768;', 's/worker_connections 768/worker_connections 16384/'];
  server.run(['sed', '-i', ...edits.flatMap((edit) => ['-e', edit]), '/etc/nginx/nginx.conf']);
};

const startNginx = async (): Promise<Started> => {
  server.run(['nginx', '-t']);
  const nginx = server.start(['nginx', '-g', 'daemon off;']);
  await untilHeard(nginx, 443);
  return nginx;
};

beforeAll(async () => {
  await ensureBuilt();
  folder = mkdtempSync(join(tmpdir(), 'vitrina-deployment-'));
  chmodSync(folder, 0o755);
  authority = createAuthority();
  network = startNetwork();
  const hosts = `127.0.0.1 localhost\n${PUBLIC_ADDRESS} ${host} ${turn_host}\n`;
  [server, studio, visitor] = await Promise.all([
    startMachine(network, 'public', hosts),
    startMachine(network, 'host', hosts),
    startMachine(network, 'visitor', hosts),
  ]);
  writeData();
  writeCertificates();
  const data = ['--data', fileOf('data')];
  server.run(
    [coordinator, 'admin', 'create', '--email', admin.email, '--name', 'Anna', ...data],
    `${admin.password}\n`,
  );
  const command = server.run([
    coordinator,
    'enrol',
    'studio-1',
    '--app',
    app,
    '--url',
    `https://${host}`,
    ...data,
  ]);
  const first = await startCoordinator();
  await untilHeard(startCoturn(), 5370);
  installNginx();
  const nginx = await startNginx();
  enrol(/--token=(\S+)/.exec(command)?.[1] ?? '');
  await nginx.stop();
  await first.stop();
});

beforeEach(async () => {
  serving = await startCoordinator();
});

afterEach(() => serving.stop());

afterAll(async () => {
  await Promise.all([server, studio, visitor].map((machine) => machine?.stop()));
  network?.stop();
  authority?.[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** What a visitor and a host meet at the proxy that runs, and what the proxy has written down when both have gone. */
const meet = async (
  proxy: Started,
  log: () => string,
  with_turn: boolean,
): Promise<{ found: Found; log: string }> => {
  const asked: Asked = {
    ...{ host, app, ...admin, ca_file: authority.file, sockets: connections_per_address + 4 },
    turn_host: with_turn ? turn_host : undefined,
  };
  try {
    const agent = await startAgent();
    const program = join(import.meta.dir, 'visitor.ts');
    const found: Found = JSON.parse(visitor.run([process.execPath, program, JSON.stringify(asked)]));
    await agent.stop();
    await until('the link of the agent is in the log', log, (text) => text.includes('/agent'));
    return { found, log: log() };
  } finally {
    await proxy.stop();
  }
};

const expectService = ({ found, log }: { found: Found; log: string }) => {
  expect(found.redirect).toBe(`https://${host}/i/an-invite`);
  expect(found.status).toEqual({ picture: 200, metrics: 404, healthz: 200 });
  expect(found.signalling).toContain('offer');
  // Each socket named another address in X-Forwarded-For; the coordinator counted the one that they came from.
  expect(found.sockets).toBe(connections_per_address);
  expect(log).toContain(VISITOR_ROUTER);
  expect(log).toContain(HOST_ROUTER);
  expect(log).not.toMatch(/198\.51\.100\.|an-invite|a-code|ticket=|Bearer/);
};

const expectTurn = ({ relays, peers }: Found) => {
  const relay = `${PUBLIC_ADDRESS} for ${VISITOR_ROUTER}`;
  expect(relays).toEqual({ tcp: relay, tls: relay });
  for (const way of ['tcp', 'tls']) {
    for (const peer of ['127.0.0.1', '0.0.0.0', '10.77.0.2', '169.254.169.254']) {
      expect([way, peer, peers[`${way} ${peer}`]]).toEqual([way, peer, 403]);
    }
    expect(peers[`${way} 0:0:0:0:0:0:0:1`]).toBeGreaterThan(400);
    expect(peers[`${way} ${VISITOR_ROUTER}`]).toBe(0);
  }
  // coturn believes PROXY headers there: nobody reaches it from outside.
  expect(() => visitor.run(['timeout', '1', 'bash', '-c', `</dev/tcp/${PUBLIC_ADDRESS}/5370`])).toThrow();
};

describe('install()', () => {
  test('install() of nginx serves site and TURN on port 443 of one address', async () => {
    const nginx = await startNginx();
    const met = await meet(nginx, () => server.run(['cat', '/var/log/nginx/vitrina.log']), true);
    expectService(met);
    expectTurn(met.found);
  });

  test('install() of HAProxy serves site and TURN on port 443 of one address', async () => {
    install('haproxy', ...shared);
    const file = '/etc/haproxy/haproxy.cfg';
    // Its log goes to the journal; here it is read.
    server.run(['sed', '-i', 's#log /dev/log local0#log stdout format raw local0#', file]);
    expect(server.run(['haproxy', '-c', '-f', file])).toBe('Configuration file is valid\n');
    const haproxy = server.start(['haproxy', '-W', '-db', '-f', file]);
    await untilHeard(haproxy, 443);
    const met = await meet(haproxy, () => haproxy.lines.join('\n'), true);
    expectService(met);
    expectTurn(met.found);
  });

  test('install() of Caddy serves the site', async () => {
    const files = [
      '--certificate',
      '/etc/caddy/fullchain.pem',
      '--certificate_key',
      '/etc/caddy/privkey.pem',
    ];
    install('caddy', ...files);
    const run = ['caddy', 'run', '--config', '/etc/caddy/Caddyfile'];
    const rights = ['--inh-caps=+net_bind_service', '--ambient-caps=+net_bind_service'];
    const caddy = server.start([
      'env',
      'HOME=/var/lib/caddy',
      'setpriv',
      '--reuid=caddy',
      '--regid=caddy',
      '--clear-groups',
      ...rights,
      '--',
      ...run,
    ]);
    await untilHeard(caddy, 443);
    expectService(await meet(caddy, () => server.run(['cat', '/var/log/caddy/vitrina.log']), false));
  });
});
