import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { execFileSync } from 'node:child_process';
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Program, startProgram } from '../../scripts/program.ts';
import { freePorts } from '../../shared/testing/free-ports.ts';
import { ask } from '../e2e/deployment.ts';
import {
  appProcess,
  ensureBuilt,
  executable,
  portRange,
  processesOf,
  signallingProcess,
  until,
} from '../e2e/harness.ts';

setDefaultTimeout(600_000);

const repository = join(import.meta.dir, '..', '..');
const app = 'Garden';
const key = 'a-key-for-this-test-only';
/** An account that the machine which runs the tests need not have. */
const account = 30_001;

let folder: string;
let port: number;
let machine: Program;

/** A file of the machine that boots. */
const write = (path: string, text: string) => {
  const file = join(folder, 'files', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
};

const print = (command: string[]): string =>
  execFileSync(command[0] ?? '', command.slice(1), { encoding: 'utf8' });

const writeCoordinator = () => {
  const unit = print([executable('coordinator-linux-x64'), 'config', 'systemd', '--port', String(port)]);
  write('/etc/systemd/system/vitrina-coordinator.service', unit);
  const rc_info = { rc_name: app, info: { description: [] } };
  write(
    '/var/lib/vitrina/servers.json',
    JSON.stringify([{ server_name: 'studio-1', ip: '127.0.0.1', port: 1, key, rc_info }]),
  );
  write(
    '/var/lib/vitrina/configuration.json',
    JSON.stringify({ ip: '127.0.0.1', port, time_between_updates_seconds: 30 }),
  );
  write('/var/lib/vitrina/pictures/.keep', '');
};

const writeAgent = () => {
  const words = [
    '-PixelStreamingURL={streamer_url}',
    '-PixelStreamingID={streamer_id}',
    '-ResX=320',
    '-ResY=180',
  ];
  const config = {
    coordinator: `http://127.0.0.1:${port}`,
    server_name: 'studio-1',
    key,
    seats: 1,
    ports: portRange(),
    log_folder: 'logs',
    apps: [
      {
        rc_name: app,
        path: '/usr/local/bin/bun',
        arguments: ['/srv/vitrina/session-agent/demo-app/main.ts', ...words, '-DemoStyle=garden'],
      },
    ],
  };
  write('/srv/agent/config.json', JSON.stringify(config));
  write('/srv/agent/logs/.keep', '');
  write('/srv/agent/state/.keep', '');
  const place = join(folder, 'files', 'srv', 'agent');
  const agent = executable('session-agent-linux-x64');
  const unit = print([
    agent,
    'install',
    '--print',
    '--user',
    'vitrina',
    '--config',
    join(place, 'config.json'),
  ]);
  // It was printed by an executable and for a folder that lie elsewhere here.
  write(
    '/etc/systemd/system/vitrina-agent.service',
    unit.replaceAll(agent, '/usr/local/bin/session-agent').replaceAll(place, '/srv/agent'),
  );
};

const writeMachine = () => {
  write(
    '/etc/passwd',
    `${readFileSync('/etc/passwd', 'utf8')}vitrina:x:${account}:${account}::/var/lib/vitrina:/bin/false\n`,
  );
  write('/etc/group', `${readFileSync('/etc/group', 'utf8')}vitrina:x:${account}:\n`);
  write('/usr/local/bin/.keep', '');
  const units = 'vitrina-coordinator.service vitrina-agent.service';
  write(
    '/etc/systemd/system/vitrina.target',
    `[Unit]\nDescription=Vitrina\nWants=${units}\nAfter=${units}\n`,
  );
};

/** This machine once more: its files, of which each one that is written is the new machine's own, below an own systemd. */
const boot = (): Program => {
  const script = `
mount -t tmpfs files /mnt
mkdir -p /run/systemd/nspawn
mount -t tmpfs nspawn /run/systemd/nspawn
mkdir /mnt/upper /mnt/scratch /mnt/machine
cp -a "$1/files/." /mnt/upper
chown -R ${account}:${account} /mnt/upper/var/lib/vitrina /mnt/upper/srv/agent
chmod 600 /mnt/upper/srv/agent/config.json
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/scratch /mnt/machine
touch /mnt/machine/usr/local/bin/coordinator /mnt/machine/usr/local/bin/session-agent /mnt/machine/usr/local/bin/bun
mkdir -p /mnt/machine/srv/vitrina
shift
exec systemd-nspawn "$@"`;
  const binds = {
    coordinator: executable('coordinator-linux-x64'),
    'session-agent': executable('session-agent-linux-x64'),
    bun: process.execPath,
  };
  const options = [
    ...['--quiet', '--boot', '--directory=/mnt/machine', `--machine=vitrina-${port}`, '--console=pipe'],
    ...['--register=no', '--keep-unit', '--link-journal=no', `--bind-ro=${repository}:/srv/vitrina`],
    ...Object.entries(binds).map(([name, file]) => `--bind-ro=${file}:/usr/local/bin/${name}`),
    ...['systemd.unit=vitrina.target', 'systemd.journald.forward_to_console=1'],
  ];
  return startProgram(['unshare', '--mount', 'sh', '-ec', script, 'sh', folder, ...options], {
    log: createWriteStream(join(folder, 'console.log')),
    environment: process.env,
  });
};

beforeAll(async () => {
  await ensureBuilt();
  folder = mkdtempSync(join(tmpdir(), 'vitrina-units-'));
  port = await freePorts();
  writeMachine();
  writeCoordinator();
  writeAgent();
  machine = boot();
});
afterAll(async () => {
  await machine?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The agent that systemd runs there, by its number here. */
const agentProcess = (): number | undefined =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .find((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
        return words === '/usr/local/bin/session-agent\0run\0--config\0/srv/agent/config.json\0';
      } catch {
        return false;
      }
    });

test('boot() of a machine with the printed units: an app plays, and outlives its agent', async () => {
  const url = `http://127.0.0.1:${port}`;
  const seats = async () => {
    try {
      return (await ask(url, 'GET', '/api/v1/apps')).body.apps?.[0]?.seats_free;
    } catch {
      return undefined;
    }
  };
  await until('the agent is connected', seats, (free) => free === 1);
  const started = await ask(url, 'POST', '/api/v1/sessions', { app });
  expect(started.status).toBe(201);
  const { session, participant_token: token } = started.body;
  const path = `/api/v1/sessions/${session.id}`;
  const look = async () => (await ask(url, 'GET', path, undefined, { token })).body;
  await until('the app has registered', look, ({ phase }) => phase === 'ready');
  const running = () => [appProcess(session.id)?.pid ?? 0, signallingProcess(session.id)?.pid ?? 0];
  const before = running();
  for (const pid of before) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    expect(status).toMatch(new RegExp(`Uid:\\t${account}\\t`));
    expect(status).toMatch(/CapBnd:\t0+\n/);
    expect(status).toMatch(/NoNewPrivs:\t1\n/);
  }

  const agent = agentProcess() ?? 0;
  process.kill(agent, 'SIGKILL');
  await until('systemd starts another agent', agentProcess, (pid) => pid !== undefined && pid !== agent);
  expect(running()).toEqual(before);
  const { status } = await ask(url, 'DELETE', path, undefined, { token });
  expect(status).toBe(204);
  // By the new agent, which has taken the session over.
  await until(
    'the session has ended',
    () => processesOf(session.id),
    (left) => left.length === 0,
  );
  await until('the seat is free', seats, (free) => free === 1);
});
