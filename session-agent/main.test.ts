import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { version } from '../package.json';
import { reportSchema } from './doctor/line.ts';
import { startFakeCoordinator } from './testing/fake-coordinator.ts';
import { fakeAppConfig, key, order, portRange, processesOf } from './testing/rig.ts';

setDefaultTimeout(120_000);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrina-main-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const spawn = (...args: string[]) =>
  Bun.spawn([process.execPath, join(import.meta.dir, 'main.ts'), ...args], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });

const run = async (...args: string[]) => {
  const program = spawn(...args);
  const [code, out, problems] = await Promise.all([
    program.exited,
    program.stdout.text(),
    program.stderr.text(),
  ]);
  return { code, out, problems };
};

test('main() prints help and version, also of the server that it carries, and refuses what it does not know', async () => {
  const [asked, help, wrong, flags, enrol] = await Promise.all([
    run('logs', '--version'),
    run('help'),
    run('fly'),
    run('signalling', '--help'),
    run('enrol', 'https://coordinator.example'),
  ]);
  expect(asked).toEqual({ code: 0, out: `${version}\n`, problems: '' });
  expect(help.out).toContain('enroll URL');
  expect([wrong.code, wrong.out, wrong.problems]).toEqual([
    2,
    '',
    expect.stringContaining('no command "fly"'),
  ]);
  expect(flags.out).toContain('--player_port');
  expect([enrol.code, enrol.problems]).toEqual([2, expect.stringContaining('--token T is missing')]);
});

test('run() without a usable configuration says what is wrong and exits 1', async () => {
  const file = join(folder, 'broken.json');
  writeFileSync(file, '{\n "seats": "two"\n}');
  const { code, problems } = await run('run', '--config', file);
  expect(code).toBe(1);
  expect(problems).toContain(`${file}:2 seats: `);
  expect(problems).toContain('server_name');
});

test('run() of doctor prints its report and exits 1 when something failed', async () => {
  const { code, out } = await run('doctor', '--json', '--config', join(folder, 'none.json'));
  const report = reportSchema.parse(JSON.parse(out));
  expect([code, report.ok, report.lines[0]?.name]).toEqual([1, false, 'config']);
});

test('run() of doctor ends quietly when its reader has seen enough', async () => {
  const main = join(import.meta.dir, 'main.ts');
  const file = join(folder, 'lonely.json');
  const nobody = { coordinator: 'http://127.0.0.1:1', server_name: 'host-1', key, seats: 1 };
  writeFileSync(file, JSON.stringify({ ...nobody, ports: portRange() }));
  const words = [process.execPath, main, 'doctor', '--config', file];
  // The reader has gone before the first line comes.
  const shell = ['/bin/bash', '-c', '"$@" > >(exec <&-); echo "code $?"', 'bash', ...words];
  const program = Bun.spawn(shell, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const [out, problems] = await Promise.all([program.stdout.text(), program.stderr.text()]);
  expect(problems).toBe('');
  expect(out).toBe('code 0\n');
});

test('run() serves sessions until SIGTERM, then ends them as host_stopped and exits 0', async () => {
  const coordinator = startFakeCoordinator({ key });
  const file = join(folder, 'config.json');
  writeFileSync(
    file,
    JSON.stringify({
      coordinator: coordinator.url.replace('ws:', 'http:').replace('/agent', ''),
      server_name: 'host-1',
      key,
      seats: 1,
      ports: portRange(),
      apps: [fakeAppConfig('Flat', ['-Stubborn'], { stop_grace_seconds: 0.2 })],
    }),
  );
  const agent = spawn('run', '--config', file);
  await coordinator.message('HELLO');
  const session = order();
  coordinator.send(session);
  await coordinator.message('CONNECT_TO_SESSION');
  agent.kill('SIGTERM');
  expect((await coordinator.message('SESSION_ENDED')).reason).toBe('host_stopped');
  expect(await agent.exited).toBe(0);
  expect(processesOf(session.session_id)).toEqual([]);
  await coordinator.stop();
});
