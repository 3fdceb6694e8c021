import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startCoturn } from '../shared/testing/coturn.ts';
import { turnServer } from '../shared/turn.ts';
import { type Deployment, deploymentFile, type Program, printDeployment } from './deployment.ts';
import { temporaryFolder } from './testing/folder.ts';
import { allocateRelay, permitPeers } from './testing/turn-client.ts';

setDefaultTimeout(60_000);

const deployment: Deployment = {
  host: 'vitrina.example',
  port: 8080,
  data: '/var/lib/vitrina',
  turn_secret: 'north',
  realm: 'vitrina.example',
  address: undefined,
};

const fileOf = (program: Program, changes: Partial<Deployment> = {}): string => {
  const made = deploymentFile(program, { ...deployment, ...changes });
  return 'text' in made ? made.text : `missing: ${made.missing}`;
};

/** The lines of one location of nginx. */
const location = (text: string, name: string): string =>
  text.split('location ').find((part) => part.startsWith(name)) ?? '';

describe('deploymentFile()', () => {
  test('deploymentFile() of nginx ends TLS, upgrades WebSockets and overwrites what callers forward', () => {
    const text = fileOf('nginx');
    expect(text).toContain('server 127.0.0.1:8080;');
    expect(text).toContain('return 301 https://vitrina.example$request_uri;');
    expect(text).toContain('client_max_body_size 64k;');
    expect(text).toMatch(/limit_conn vitrina \d+;/);
    expect(text).not.toContain('proxy_add_x_forwarded_for');
    expect(text).not.toMatch(/log_format.*(request_uri|\$args|\$request")/);
    const sockets = location(text, '~');
    expect(sockets).toStartWith('~ ^/(ws|agent|api/v1/sessions/[^/]+/signalling)$ {');
    expect(sockets).toContain('proxy_set_header Upgrade $http_upgrade;');
    for (const part of [sockets, location(text, '/ ')]) {
      expect(part).toContain('proxy_set_header X-Forwarded-For $remote_addr;');
      expect(part).toContain('proxy_set_header Host $host;');
      expect(part).toContain('proxy_read_timeout 60s;');
    }
    expect(location(text, '= /metrics')).toContain('return 404;');
    const depth = [...text].reduce((open, mark) => open + (mark === '{' ? 1 : mark === '}' ? -1 : 0), 0);
    expect(depth).toBe(0);
  });

  test('deploymentFile() of systemd is a unit that systemd takes', async () => {
    await using folder = await temporaryFolder();
    for (const port of [8080, 443]) {
      const unit = fileOf('systemd', { port });
      expect(unit).toContain(
        `ExecStart=/usr/local/bin/coordinator serve --data /var/lib/vitrina --port ${port}`,
      );
      expect(unit.includes('AmbientCapabilities=CAP_NET_BIND_SERVICE')).toBe(port < 1024);
      if (!existsSync('/usr/bin/systemd-analyze')) continue;
      const name = `vitrina-${port}.service`;
      await folder.write(name, unit.replace('/usr/local/bin/coordinator', '/usr/bin/env'));
      const verify = Bun.spawn(['systemd-analyze', 'verify', join(folder.path, name)], { stderr: 'pipe' });
      const complaints = await new Response(verify.stderr).text();
      expect(complaints.split('\n').filter((line) => line.includes('vitrina'))).toEqual([]);
    }
  });

  test('deploymentFile() of coturn is a relay for our participants to public addresses only', async () => {
    const options = fileOf('coturn')
      .split('\n')
      .filter((line) => !/^(#|$|cert=|pkey=|no-cli|(tls-)?listening-port=)/.test(line));
    await using server = await startCoturn(...options);
    const order = { urls: [], secret: 'north', user: 's.p', expires: Date.now() + 600_000 };
    const { username = '', credential: password = '' } = turnServer(order);
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
    // Eight relays of one participant are enough; the first two are in use still.
    const more: unknown[] = [];
    for (let relays = 3; relays <= 9; relays++) {
      more.push(await allocateRelay(server.port, { username, password }));
    }
    expect(more.map((one) => (one instanceof Object && 'error' in one ? one.error : 0))).toEqual([
      0, 0, 0, 0, 0, 0, 486,
    ]);
    expect(found.get('9.9.9.9')).toBe(0);
    expect(private_peers.filter((peer) => found.get(peer) === 0)).toEqual([]);
  });

  test('deploymentFile() says what is missing', () => {
    expect(fileOf('nginx', { host: '' })).toContain('--host NAME');
    expect(fileOf('coturn', { turn_secret: undefined })).toContain('openssl rand');
    expect(fileOf('systemd', { host: '', turn_secret: undefined })).toContain('[Service]');
  });
});

describe('printDeployment()', () => {
  test('printDeployment() takes what the flags do not say from configuration.json', async () => {
    await using folder = await temporaryFolder();
    const turn = { urls: ['turn:turn.example:3478'], secret_file: 'turn.secret', realm: 'turn.example' };
    const settings = { ip: '127.0.0.1', port: 8081, time_between_updates_seconds: 30 };
    await folder.write('configuration.json', { ...settings, public_url: 'https://vitrina.example', turn });
    const run = async (...args: string[]) => {
      const main = join(import.meta.dir, 'main.ts');
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
    const flags = {
      data: folder.path,
      host: undefined,
      port: undefined,
      secret_file: undefined,
      address: undefined,
    };
    expect(await printDeployment('nginx', flags, (text) => said.push(text))).toBe(1);
    expect(said.join('\n')).toContain('configuration.json:1 ip: an IP address');
  });
});
