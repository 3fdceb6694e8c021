import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { version } from '../package.json';
import { loggedInSchema } from '../shared/protocol/accounts.ts';
import { enrolledSchema } from '../shared/protocol/catalogue.ts';
import { startMariadb } from '../shared/testing/mariadb.ts';
import { type Folder, temporaryFolder } from './testing/folder.ts';
import { openMigrated } from './testing/mysql.ts';
import { soon } from './testing/socket.ts';
import { entry } from './testing/store.ts';

setDefaultTimeout(60_000);

const settings = { ip: '127.0.0.1', port: 0, time_between_updates_seconds: 30 };

/** The program, as its own process. */
const main = (...args: string[]) => mainWith({}, ...args);

/** The same, with a standard input and more environment. */
const mainWith = (
  { stdin = '', env = {} }: { stdin?: string; env?: Record<string, string> },
  ...args: string[]
) => {
  const program = Bun.spawn([process.execPath, join(import.meta.dir, 'main.ts'), ...args], {
    stdin: new Blob([stdin]),
    stdout: 'pipe',
    stderr: 'pipe',
    env: { PATH: process.env.PATH ?? '', ...env },
  });
  return {
    program,
    /** Waits for the end; what it said and its exit code. */
    end: async () => {
      const [stdout, stderr] = await Promise.all([
        new Response(program.stdout).text(),
        new Response(program.stderr).text(),
      ]);
      return { stdout, stderr, exit: await soon('the exit', program.exited) };
    },
  };
};

type Running = ReturnType<typeof main>;

/** Reads log lines until one has the message; the stream's other lines are dropped. */
const logged = async ({ program }: Running, msg: string): Promise<Record<string, unknown>> => {
  let text = '';
  for await (const chunk of program.stdout.pipeThrough(new TextDecoderStream(), { preventCancel: true })) {
    text += chunk;
    const found = text
      .split('\n')
      .slice(0, -1)
      .map((line): Record<string, unknown> => JSON.parse(line))
      .find((line) => line.msg === msg);
    if (found !== undefined) return found;
  }
  throw new Error(`never logged: ${msg}`);
};

const dataFolder = async (configuration: object = settings): Promise<Folder> => {
  const folder = await temporaryFolder();
  await folder.write('servers.json', [entry('a', 'Loft')]);
  await folder.write('configuration.json', configuration);
  return folder;
};

describe('main()', () => {
  test('main() serve says where it listens, serves site and API, and stops at SIGTERM and SIGINT with 0', async () => {
    await using folder = await dataFolder();
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const running = main('serve', '--data', folder.path);
      const { url, level } = await soon('listening', logged(running, 'listening'));
      expect(level).toBe('info');
      expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ ok: true });
      expect((await fetch(`${url}/`)).headers.get('content-type')).toContain('text/html');
      expect((await fetch(`${url}/s/any`)).headers.get('content-type')).toContain('text/html');
      running.program.kill(signal);
      expect(await soon('the exit', running.program.exited)).toBe(0);
    }
  });

  test('main() serve says what to do when the port is taken, and exits with 1', async () => {
    await using folder = await dataFolder();
    const taken = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() });
    const { port } = taken;
    const { stderr, exit } = await main('serve', '--data', folder.path, '--port', String(port)).end();
    await taken.stop(true);
    expect([exit, stderr]).toEqual([
      1,
      expect.stringContaining(`Port ${port} is taken by another program. Stop`),
    ]);
  });

  test('main() serve does not share its port with another coordinator', async () => {
    await using folder = await dataFolder();
    const first = main('serve', '--data', folder.path);
    const { url } = await soon('listening', logged(first, 'listening'));
    const second = await main('serve', '--data', folder.path, '--port', new URL(String(url)).port).end();
    first.program.kill();
    expect([second.exit, await first.program.exited]).toEqual([1, 0]);
  });

  test('main() serve names every problem of the data directory with its place, and exits with 1', async () => {
    await using folder = await dataFolder({ ...settings, ip: 'here' });
    await folder.write('servers.json', '[\n{"server_name": "a"}\n]');
    const { stderr, exit } = await main('serve', '--data', folder.path).end();
    expect(exit).toBe(1);
    expect(stderr).toContain('servers.json:2 [0].rc_info');
    expect(stderr).toContain('configuration.json:1 ip: an IP address');
    const missing = await main('serve', '--data', join(folder.path, 'nowhere')).end();
    expect([missing.exit, missing.stderr]).toEqual([
      1,
      expect.stringContaining('There is no data directory'),
    ]);
  });

  test('main() admin create makes an administrator who can log in, and says what is wrong else', async () => {
    await using folder = await dataFolder();
    const create = (stdin: string, name = 'Root') =>
      mainWith(
        { stdin },
        'admin',
        'create',
        '--email',
        'Root@x.example',
        '--name',
        name,
        '--data',
        folder.path,
      ).end();
    expect(await create('short\n')).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('at least 10'),
    });
    expect(await create('')).toMatchObject({ exit: 1, stderr: expect.stringContaining('at least 10') });
    expect(await create('correct horse\nmore\n')).toEqual({
      stdout: '',
      stderr: `No coordinator runs on ${folder.path}: its files were changed.\nMade the administrator root@x.example.\n`,
      exit: 0,
    });
    expect(await create('correct horse')).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('taken'),
    });
    const running = main('serve', '--data', folder.path);
    const { url } = await soon('listening', logged(running, 'listening'));
    const response = await fetch(`${url}/api/v1/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: 'root@x.example', password: 'correct horse' }),
    });
    expect([response.status, await response.json()]).toMatchObject([200, { account: { role: 'admin' } }]);
    expect(await create('another horse')).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('taken'),
    });
    running.program.kill();
    expect(await soon('the exit', running.program.exited)).toBe(0);
    const args = ['admin', 'create', '--email', 'a@b.example', '--name', 'A'];
    expect(await main(...args).end()).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('Set DATABASE_URL to the database, or give --data DIR'),
    });
  });

  test('main() admin, enrol and import while the coordinator runs on JSON files', async () => {
    await using folder = await dataFolder();
    const running = main('serve', '--data', folder.path);
    const { url } = await soon('listening', logged(running, 'listening'));
    const data = ['--data', folder.path];
    const run = (stdin: string, ...args: string[]) => mainWith({ stdin }, ...args, ...data).end();
    const post = (path: string, body: object) =>
      fetch(`${url}/api/v1${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
    const login = async (password: string) =>
      loggedInSchema.parse(await (await post('/login', { email: 'a@b.example', password })).json());
    const admin = ['--email', 'A@b.example'];
    expect(await run('correct horse\n', 'admin', 'create', ...admin, '--name', 'A')).toEqual({
      stdout: '',
      stderr: 'Made the administrator a@b.example.\n',
      exit: 0,
    });
    const { refresh_token } = await login('correct horse');
    expect(await run('another horse\n', 'admin', 'reset', ...admin)).toEqual({
      stdout: '',
      stderr: 'a@b.example has a new password, and is logged out everywhere.\n',
      exit: 0,
    });
    expect((await post('/refresh', { refresh_token })).status).toBe(401);
    expect(await login('another horse')).toMatchObject({ account: { role: 'admin' } });
    expect(await run('x\n', 'admin', 'reset', ...admin)).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('at least 10'),
    });
    const nobody = ['admin', 'reset', '--link', '--url', String(url), '--email'];
    expect(await run('', ...nobody, 'n@b.example')).toMatchObject({
      exit: 1,
      stderr: 'There is no such account. (n@b.example)\n',
    });
    const link = await run('', ...nobody, 'a@b.example');
    expect(link.stdout).toStartWith(`${url}/reset#`);
    const reset = { token: new URL(link.stdout.trim()).hash.slice(1), password: 'a third horse' };
    expect((await post('/reset', reset)).status).toBe(200);
    const enrolled = await run('', 'enrol', 'studio-1', '--app', 'Garden', '--url', String(url));
    const token = enrolled.stdout.trim().split('--token=')[1];
    const key = enrolledSchema.parse(await (await post('/enrolments', { token })).json());
    const check = await fetch(`${url}/agent/check?server_name=${key.server_name}`, {
      headers: { Authorization: `Bearer ${key.key}` },
    });
    expect(check.status).toBe(200);
    const env = { DATABASE_URL: 'mysql://a@127.0.0.1:1/a' };
    expect(await mainWith({ env }, 'import', folder.path).end()).toMatchObject({
      exit: 1,
      stderr: expect.stringMatching(/^Another coordinator \(process \d+\) uses this data directory. Stop it/),
    });
    running.program.kill();
    expect(await soon('the exit', running.program.exited)).toBe(0);
  });

  test('main() enrol prints the command for a host, with the coordinator stopped or running', async () => {
    await using folder = await dataFolder();
    const admin = ['admin', 'create', '--email', 'root@x.example', '--name', 'Root', '--data', folder.path];
    await mainWith({ stdin: 'correct horse\n' }, ...admin).end();
    const enrol = ['enrol', 'studio-1', '--app', 'Garden', '--app', 'Garden'];
    expect(await main(...enrol, '--data', folder.path).end()).toMatchObject({
      exit: 1,
      stderr: expect.stringContaining('Say where hosts reach the coordinator'),
    });
    const stopped = ['--url', 'https://v.example/x', '--data', folder.path];
    const first = await main(...enrol, ...stopped).end();
    expect(first.stdout).toMatch(/^session-agent enroll https:\/\/v\.example --token=[\w-]{43}\n$/);
    const running = main('serve', '--data', folder.path);
    const { url } = await soon('listening', logged(running, 'listening'));
    const there = [...enrol, '--url', String(url), '--email', 'root@x.example'];
    const second = await mainWith({ stdin: 'correct horse\n' }, ...there).end();
    expect([second.exit, second.stderr]).toEqual([0, 'Run this on studio-1, once, within 60 minutes:\n']);
    const use = (printed: string) =>
      fetch(`${url}/api/v1/enrolments`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ token: printed.trim().split('--token=')[1] }),
      });
    expect((await use(first.stdout)).status).toBe(410); // there is a newer one
    const more = await mainWith({ stdin: 'correct horse\n' }, ...there, '--app', 'Villa').end();
    expect([more.exit, more.stderr]).toEqual([0, second.stderr]);
    expect((await use(second.stdout)).status).toBe(410);
    const enrolled = await use(more.stdout);
    expect([enrolled.status, await enrolled.json()]).toMatchObject([201, { server_name: 'studio-1' }]);
    expect(await mainWith({ stdin: 'wrong horse\n' }, ...there).end()).toMatchObject({
      exit: 1,
      stdout: '',
      stderr: expect.stringContaining('E-mail or password are wrong'),
    });
    running.program.kill();
    await soon('the exit', running.program.exited);
    const nobody = await mainWith({ stdin: 'x\n' }, ...there).end();
    expect([nobody.exit, nobody.stderr]).toEqual([1, expect.stringContaining('cannot be reached')]);
  });

  test('main() admin create makes an administrator in the database of DATABASE_URL', async () => {
    await using server = await startMariadb();
    const url = await server.createDatabase('admins');
    const database = await openMigrated(url);
    const args = ['admin', 'create', '--email', 'a@b.example', '--name', 'A'];
    const made = await mainWith({ stdin: 'correct horse\r\n', env: { DATABASE_URL: url } }, ...args).end();
    expect(made).toEqual({ stdout: '', stderr: 'Made the administrator a@b.example.\n', exit: 0 });
    const [row] = await database.read(({ accounts }) => accounts.find({}));
    await database.close();
    expect(row).toMatchObject({ email: 'a@b.example', role: 'admin', state: 'approved' });
    expect(await Bun.password.verify('correct horse', row?.password_hash ?? '')).toBeTrue();
  });

  test('main() serve refuses the api() of the operations page with a reason that it shows', async () => {
    await using folder = await dataFolder();
    const running = main('serve', '--data', folder.path);
    const { url } = await soon('listening', logged(running, 'listening'));
    const page = await Bun.file(join(import.meta.dir, '..', 'docs', 'operations.md')).text();
    const [api = ''] = /^api\(\) .*$/m.exec(page) ?? [];
    const script = `${api}\napi ${url}/api/v1/catalogue/apps -d '{"name": "Loft"}'`;
    const shell = Bun.spawn(['/bin/bash', '-c', script], { stdout: 'pipe', stderr: 'ignore' });
    expect(await shell.stdout.text()).toContain('"title":"This needs an account. Log in first."');
    expect(await shell.exited).not.toBe(0);
    running.program.kill('SIGTERM');
    expect(await soon('the exit', running.program.exited)).toBe(0);
  });

  test('main() version, help and a wrong command line', async () => {
    expect(await main('version').end()).toEqual({ stdout: `${version}\n`, stderr: '', exit: 0 });
    expect((await main('help').end()).stdout).toContain('Usage: coordinator COMMAND');
    const wrong = await main('serve').end();
    expect([wrong.exit, wrong.stderr]).toEqual([2, expect.stringContaining('--data DIR is missing')]);
  });
});
