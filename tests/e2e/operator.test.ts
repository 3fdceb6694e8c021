import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash, generateKeyPairSync } from 'node:crypto';
import {
  copyFileSync,
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Program, startProgram } from '../../scripts/program.ts';
import { markOf } from '../../shared/release.ts';
import { signRelease } from '../../shared/release-signature.ts';
import { freePorts } from '../../shared/testing/free-ports.ts';
import { ensureBuilt, executable, patient, portRange, processesOf, until } from './harness.ts';

/** An operator's day with one host, by the compiled programs: enrolled, filled, looked at, updated, taken away. */
const root = resolve(import.meta.dir, '..', '..');
const newer = '9.9.9';
const newest = { name: 'session-agent', platform: 'linux-x64', version: newer };

let folder: string;
let url: string;
let coordinator: Program;
let data: string;
const stops: (() => Promise<void>)[] = [];

// biome-ignore lint/suspicious/noExplicitAny: an answer is looked at field by field in assertions
type Json = any;

interface Ended {
  code: number;
  out: string;
  err: string;
}

const finish = async (command: string[]): Promise<Ended> => {
  const child = Bun.spawn(command, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  return { code: await child.exited, out, err };
};

const good = async (ended: Promise<Ended>): Promise<string> => {
  const { code, out, err } = await ended;
  if (code !== 0) throw new Error(`exit code ${code}: ${out}${err}`);
  return out;
};

/** A program that says that it is the newer release, and does otherwise what the code says. */
const compile = async (file: string, code: string): Promise<void> => {
  const text = `const mark = '${markOf(newest)}';
if (process.argv[2] === 'version') console.log(mark.slice(0, -1).split(' ')[3]);
else {\n${code}\n}\nexport {};\n`;
  writeFileSync(`${file}.ts`, text);
  await good(finish([process.execPath, 'build', '--compile', `${file}.ts`, '--outfile', file]));
};

beforeAll(async () => {
  await ensureBuilt();
  folder = mkdtempSync(join(tmpdir(), 'vitrina-operator-'));
  const build = join(root, 'scripts', 'build.ts');
  const args = ['session-agent-linux-x64', '--folder', join(folder, 'newer'), '--release', newer];
  await good(finish([process.execPath, build, ...args]));
  data = join(folder, 'coordinator');
  mkdirSync(data);
  writeFileSync(join(data, 'servers.json'), '[]');
  const configuration = { ip: '127.0.0.1', port: '0', time_between_updates_seconds: '5', ...patient };
  writeFileSync(join(data, 'configuration.json'), JSON.stringify(configuration));
}, 300_000);
afterAll(async () => {
  for (const stop of stops.reverse()) await stop();
  rmSync(folder, { recursive: true, force: true });
}, 120_000);

const log = (name: string) => createWriteStream(join(folder, `${name}.log`));

/** Starts the program again whenever it ends, as a service manager would. */
const supervise = (command: string[]) => {
  let stopped = false;
  let program: Program | undefined;
  let starts = 0;
  const loop = (async () => {
    while (!stopped) {
      starts += 1;
      const environment = { ...process.env, VITRINA_SERVICE: 'test' };
      program = startProgram(command, { log: log(`agent-${starts}`), environment });
      await program.exited;
    }
  })();
  return {
    stop: async () => {
      stopped = true;
      await program?.stop();
      await loop;
    },
  };
};

/** A host's machine: the agent's executable and its config.json in a folder. */
const machine = (name: string) => {
  const here = join(folder, name);
  mkdirSync(here);
  const agent = join(here, 'session-agent');
  copyFileSync(executable('session-agent-linux-x64'), agent);
  const config = join(here, 'config.json');
  const run = (...args: string[]) => finish([agent, ...args]);
  const status = async (): Promise<Json> => {
    const { out } = await run('status', '--json');
    return out === '' ? undefined : JSON.parse(out);
  };
  const connected = (fits: (now: Json) => boolean = () => true) =>
    until('the agent is connected', status, (now) => now?.link.state === 'connected' && fits(now));
  return { here, agent, config, run, status, connected };
};

const startCoordinator = async (port: string) => {
  const command = [executable('coordinator-linux-x64'), 'serve', '--data', data, '--port', port];
  coordinator = startProgram(command, { log: log('coordinator'), environment: process.env });
  stops.push(() => coordinator.stop());
  const { url: listening } = await coordinator.line(({ msg }) => msg === 'listening');
  url = String(listening);
};

const enrolment = async (host: string): Promise<string[]> => {
  const command = [executable('coordinator-linux-x64'), 'enrol', host, '--app', 'Loft', '--data', data];
  const printed = await good(finish([...command, '--url', url]));
  return printed.trim().split(' ').slice(1);
};

const demoArguments = [
  join(root, 'session-agent', 'demo-app', 'main.ts'),
  '-PixelStreamingURL={streamer_url}',
  '-PixelStreamingID={streamer_id}',
  '-ResX=320',
  '-ResY=180',
  '-DemoName=Loft',
  '-DemoStyle=loft',
];

/** config.json of an enrolled host says where its ports are; two machines of one test must not share them. */
const movePorts = (config: string) => {
  const text = readFileSync(config, 'utf8');
  const { from, to } = portRange();
  writeFileSync(config, text.replace(/"from": \d+/, `"from": ${from}`).replace(/"to": \d+/, `"to": ${to}`));
};

const api = async (method: string, path: string, body?: unknown, token?: string): Promise<Json> => {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return text === '' ? undefined : JSON.parse(text);
};

test('a bare machine() is enrolled, gets an app, serves a session, tells about itself, and is taken away', async () => {
  // The coordinator of JSON files is stopped while its command writes to them.
  const port = String(await freePorts());
  await startCoordinator(port);
  await coordinator.stop();
  const words = await enrolment('studio-1');
  await startCoordinator(port);

  const { agent, config, run, connected, here } = machine('studio-1');
  expect(await run('status')).toMatchObject({ code: 1 });
  const enrolled = await good(run(...words, '--config', config));
  expect(enrolled).toContain('This machine is the host "studio-1" now');
  expect(statSync(config).mode & 0o777).toBe(0o600);
  const again = await run(...words, '--config', config);
  expect([again.code, again.err]).toEqual([
    1,
    expect.stringContaining('was used, has expired or is unknown'),
  ]);
  expect(await run('status')).toMatchObject({ code: 1, err: expect.stringContaining('No agent runs here') });

  movePorts(config);
  const service = supervise([agent, 'run']);
  stops.push(service.stop);
  const first = await connected();
  expect(first).toMatchObject({ server_name: 'studio-1', apps: [], service: 'test', executable: agent });
  expect(await run('run')).toMatchObject({ code: 1, err: expect.stringContaining('runs already') });

  const missing = await run('apps', 'add', 'Loft', '/nowhere/Loft.sh');
  expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('does not exist') });
  await good(run('apps', 'add', 'Loft', process.execPath, ...demoArguments));
  await connected(({ apps }) => apps.some(({ rc_name }: Json) => rc_name === 'Loft'));
  await until(
    'the app can be started',
    () => api('GET', '/api/v1/apps'),
    (list) => list.apps?.[0]?.seats_free === 1,
  );

  const { session, participant_token } = await api('POST', '/api/v1/sessions', { app: 'Loft' });
  const get = () => api('GET', `/api/v1/sessions/${session.id}`, undefined, participant_token);
  await until('the session is ready', get, ({ phase }) => phase === 'ready');
  const busy = await connected(({ instances }) => instances.length > 0);
  expect(busy.instances[0]).toMatchObject({ rc_name: 'Loft', session_id: session.id });
  expect(await good(run('status'))).toContain(`session ${session.id}`);
  expect((await good(run('logs', session.id))).length).toBeGreaterThan(0);
  expect(await good(run('logs'))).toContain('config.json has changed and is in force');

  await good(run('apps', 'remove', 'Loft'));
  const without = await connected(({ apps }) => apps.length === 0);
  expect(without.instances).toHaveLength(1);
  expect((await get()).phase).toBe('ready');
  await api('DELETE', `/api/v1/sessions/${session.id}`, undefined, participant_token);
  await until(
    'nothing is left of it',
    () => processesOf(session.id),
    (left) => left.length === 0,
  );

  expect(await good(run('drain'))).toContain('takes no new sessions until "session-agent undrain"');
  await connected(({ draining }) => draining.by === 'host');
  expect(await good(run('status'))).toContain('session-agent undrain lifts that');
  // It is the coordinator that keeps it: over its own restart, too.
  await coordinator.stop();
  await startCoordinator(port);
  await connected(({ draining }) => draining.by === 'host');
  expect(await good(run('undrain'))).toContain('takes sessions again');
  await connected(({ draining }) => draining.by === null);

  const unit = join(here, 'vitrina-agent.service');
  expect(await good(run('install', '--print'))).toContain(`ExecStart="${agent}" run --config "${config}"`);
  expect(existsSync(unit)).toBeFalse();
  await good(run('install', '--folder', here));
  expect(readFileSync(unit, 'utf8')).toContain('KillMode=process');
  await good(run('uninstall', '--folder', here));
  expect(existsSync(unit)).toBeFalse();
  await service.stop();
  expect(await run('status')).toMatchObject({ code: 1 });
}, 900_000);

test('update() takes a good release, refuses what is not meant, and takes back what does not connect', async () => {
  const { port } = new URL(url);
  await coordinator.stop();
  const words = await enrolment('studio-2');
  await startCoordinator(port);
  const { here, agent, config, run, status, connected } = machine('studio-2');
  await good(run(...words, '--config', config));
  const fresh = join(folder, 'newer', 'session-agent-linux-x64');
  const digest = createHash('sha256').update(readFileSync(fresh)).digest('hex');
  const { out: release } = await run('version');
  expect(await run('update', fresh, '--sha256', digest)).toMatchObject({
    code: 1,
    err: expect.stringContaining('No agent runs'),
  });
  const unmanaged = startProgram([agent, 'run'], { log: log('unmanaged'), environment: process.env });
  await connected();
  expect(await run('update', fresh, '--sha256', digest)).toMatchObject({
    code: 1,
    err: expect.stringContaining('Nobody starts the agent again'),
  });
  await unmanaged.stop();
  const service = supervise([agent, 'run']);
  stops.push(service.stop);
  await connected();

  for (const [args, says] of [
    [[fresh], 'Say what the file has to be'],
    [[fresh, '--sha256', '0'.repeat(64)], 'The checksum is wrong'],
    [[`${url}/nothing`, '--sha256', digest], 'answers with status 404'],
  ] as const) {
    expect(await run('update', ...args)).toMatchObject({ code: 1, err: expect.stringContaining(says) });
  }
  const keys = generateKeyPairSync('ed25519');
  const key = keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  writeFileSync(
    config,
    readFileSync(config, 'utf8').replace('"seats"', `"update_key": "${key}",\n  "seats"`),
  );
  const signed = (file: string, release = newer) => {
    const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
    writeFileSync(`${file}.sig`, signRelease({ ...newest, version: release, sha256 }, keys.privateKey));
  };
  signed(fresh, '9.9.8');
  expect(await run('update', fresh)).toMatchObject({
    code: 1,
    err: expect.stringContaining(
      'is for session-agent 9.9.8 for linux-x64, and the file is session-agent 9.9.9',
    ),
  });
  expect((await status()).version).toBe(release.trim());

  // A release that runs, but reaches no coordinator.
  const lost = join(here, 'lost');
  const elsewhere = join(here, 'elsewhere.json');
  const state = readFileSync(config, 'utf8').replace(
    /"coordinator": "[^"]*"/,
    '"coordinator": "http://127.0.0.1:9"',
  );
  writeFileSync(elsewhere, state);
  await compile(
    lost,
    `const child = Bun.spawn([${JSON.stringify(fresh)}, 'run', '--config', ${JSON.stringify(elsewhere)}], { stdio: ['inherit', 'inherit', 'inherit'] });
    for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => child.kill(signal));
    process.exit(await child.exited);`,
  );
  signed(lost);
  const rejected = await run('update', lost, '--wait', '20');
  expect(rejected.code).toBe(1);
  expect(rejected.err).toContain('it did not connect: cannot be reached');
  expect(rejected.err).toContain(`Release ${release.trim()} runs again.`);
  expect((await connected()).version).toBe(release.trim());

  // A release that does not even start; and the terminal of the update is gone once it is there.
  const dead = join(here, 'dead');
  await compile(dead, 'await Bun.sleep(200); process.exit(1);');
  signed(dead);
  const updating = Bun.spawn([agent, 'update', dead, '--wait', '5'], { stdout: 'ignore' });
  const said = `${agent}.${updating.pid}.update`;
  await until(
    'the dead release is in place, or was',
    () => [statSync(agent).size, statSync(said, { throwIfNoEntry: false })?.size ?? 0],
    ([size, length = 0]) => size === statSync(dead).size || length > 0,
  );
  updating.kill('SIGKILL');
  const outcome = await until(
    'the update says how it ended',
    () => readFileSync(said, 'utf8'),
    (text) => text.includes('\n'),
  );
  expect(outcome).toContain('it has not started. ');
  expect(outcome).toContain(`Release ${release.trim()} runs again.`);
  expect((await connected()).version).toBe(release.trim());

  signed(fresh);
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request) => new Response(Bun.file(new URL(request.url).pathname)),
  });
  stops.push(() => server.stop(true));
  // A session that runs goes on under the new release, its programs too.
  movePorts(config);
  await good(run('apps', 'add', 'Loft', process.execPath, ...demoArguments));
  await until(
    'the app can be started',
    () => api('GET', '/api/v1/apps'),
    (list) => list.apps?.[0]?.seats_free === 1,
  );
  const { session, participant_token } = await api('POST', '/api/v1/sessions', { app: 'Loft' });
  const get = () => api('GET', `/api/v1/sessions/${session.id}`, undefined, participant_token);
  const ready = await until('the session is ready', get, ({ phase }) => phase === 'ready');
  const [before] = (await connected()).instances;

  const order = ['update', `http://127.0.0.1:${server.port}${fresh}`, '--sha256', digest];
  const both = await Promise.all([1, 2].map(() => run(...order, '--wait', '120')));
  expect(both.map(({ code }) => code).sort()).toEqual([0, 1]);
  expect(both.find(({ code }) => code === 1)?.err).toMatch(
    /Nothing was changed|Another command is changing|No agent runs/,
  );
  const done = both.find(({ code }) => code === 0)?.out;
  expect(done).toContain(`Release ${newer} runs and is connected.`);
  expect((await connected()).version).toBe(newer);
  expect(await good(finish([`${agent}.previous`, 'version']))).toBe(release);
  const [after] = (await connected(({ instances }) => instances.length > 0)).instances;
  expect(after).toMatchObject({
    session_id: session.id,
    app_pid: before.app_pid,
    signalling_pid: before.signalling_pid,
  });
  const { phase, phases } = await get();
  expect([phase, phases.ready]).toEqual(['ready', ready.phases.ready]);
  await api('DELETE', `/api/v1/sessions/${session.id}`, undefined, participant_token);
  await until(
    'nothing is left of it',
    () => [before.app_pid, before.signalling_pid].filter((pid) => existsSync(`/proc/${pid}`)),
    (left) => left.length === 0,
  );
  await service.stop();
}, 900_000);
