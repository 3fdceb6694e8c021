import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { temporaryFolder } from '../testing/folder.ts';
import { type DeploymentFlags, printDeployment } from './print.ts';
import type { Program } from './programs.ts';

setDefaultTimeout(60_000);

describe('printDeployment()', () => {
  test('printDeployment() takes what the flags do not say from configuration.json', async () => {
    await using folder = await temporaryFolder();
    const turn = { urls: ['turn:turn.example:3478'], secret_file: 'turn.secret', realm: 'turn.example' };
    const settings = { ip: '127.0.0.1', port: 8081, time_between_updates_seconds: 30 };
    await folder.write('configuration.json', { ...settings, public_url: 'https://vitrina.example', turn });
    const run = async (...args: string[]) => {
      const main = join(import.meta.dir, '..', 'main.ts');
      const program = Bun.spawn([process.execPath, main, 'config', ...args, '--data', folder.path], {
        stdout: 'pipe',
        stderr: 'pipe',
      });
      const [stdout, stderr] = await Promise.all([
        new Response(program.stdout).text(),
        new Response(program.stderr).text(),
      ]);
      return { stdout, stderr, exit: await program.exited };
    };
    const missing = await run('coturn');
    expect([missing.exit, missing.stdout, missing.stderr]).toEqual([
      1,
      '',
      expect.stringContaining('The secret cannot be read'),
    ]);
    await folder.write('turn.secret', 'north\n');
    const { stdout, exit } = await run('coturn', '--address', '192.0.2.1');
    expect(exit).toBe(0);
    for (const line of ['static-auth-secret=north', 'realm=turn.example', 'listening-ip=192.0.2.1']) {
      expect(stdout.split('\n')).toContain(line);
    }
    expect((await run('nginx')).stdout).toContain('server 127.0.0.1:8081;');
    expect((await run('nginx', '--host', 'other.example', '--port', '81')).stdout).toMatch(
      /127\.0\.0\.1:81;[\s\S]*server_name other\.example;/,
    );
  });

  test('printDeployment() names what is wrong in configuration.json', async () => {
    await using folder = await temporaryFolder();
    await folder.write('configuration.json', { ip: 'here' });
    const said: string[] = [];
    const flags = { data: folder.path };
    expect(await printDeployment('nginx', flags, (text) => said.push(text))).toBe(1);
    expect(said.join('\n')).toContain('configuration.json:1 ip: an IP address');
  });

  test('printDeployment() refuses what does not go together, and a secret that is no single word', async () => {
    await using folder = await temporaryFolder();
    await folder.write('two words', 'north\nno-auth\n');
    const rows: [flags: Partial<DeploymentFlags>, said: string, program?: Program][] = [
      ...['a.example', 'A.example', 'a.example.', '192.0.2.7', '2001:db8::7'].map(
        (turn_host): [object, string, Program] => [
          { turn_host },
          '--turn_host is another name',
          'nginx-stream',
        ],
      ),
      [{ turn_host: 'a.example' }, '--turn_host is another name', 'haproxy'],
      [{ turn_host: 'a.example' }, '--turn_host is another name'],
      [{ certificate: '/etc/a.pem' }, 'go together'],
      [{ certificate_key: '/etc/a.pem' }, 'go together', 'caddy'],
      [{ certificate: '/etc/a.pem', certificate_key: '/etc/k.pem' }, 'from one file', 'haproxy'],
      ...['127.0.0.1', '0.0.0.0', '::', '::1', 'fe80::1', '169.254.1.1', '::ffff:192.0.2.1', '224.0.0.1'].map(
        (address): [object, string] => [{ address }, `and ${address} is none`],
      ),
      [{ secret_file: join(folder.path, 'two words') }, 'one word'],
    ];
    for (const [flags, expected, program = 'coturn'] of rows) {
      const said: string[] = [];
      const exit = await printDeployment(program, { host: 'a.example', ...flags }, (text) => said.push(text));
      expect([exit, said.join('\n')]).toEqual([1, expect.stringContaining(expected)]);
    }
  });
});
