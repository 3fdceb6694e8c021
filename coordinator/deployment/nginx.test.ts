import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { join } from 'node:path';
import { freePorts } from '../../shared/testing/free-ports.ts';
import { sampleDeployment } from '../testing/deployment.ts';
import { temporaryFolder } from '../testing/folder.ts';
import { nginxSite, nginxStream } from './nginx.ts';

setDefaultTimeout(60_000);

/** nginx with the printed map, on addresses that callers say themselves; it writes down as whom it counts them. */
const configuration = (folder: string, port: number): string => {
  const text = nginxSite(sampleDeployment);
  const map = text.slice(text.indexOf('map $binary_remote_addr'), text.indexOf('limit_conn_zone'));
  return `
daemon off;
pid ${folder}/pid;
error_log ${folder}/error.log;
events {}
http {
  ${map}
  log_format network '$vitrina_network';
  access_log ${folder}/access.log network;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server {
    listen 127.0.0.1:${port};
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Caller;
    location / { return 204; }
  }
}`;
};

/** As whom nginx counts each of the callers. */
const networksOf = async (callers: readonly string[]): Promise<string[]> => {
  await using folder = await temporaryFolder();
  const port = await freePorts();
  await folder.write('nginx.conf', configuration(folder.path, port));
  const files = [
    '-p',
    folder.path,
    '-c',
    join(folder.path, 'nginx.conf'),
    '-e',
    join(folder.path, 'error.log'),
  ];
  const nginx = Bun.spawn(['nginx', ...files], { stdout: 'ignore', stderr: 'pipe' });
  try {
    const ask = (caller: string): Promise<unknown> =>
      fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-caller': caller } }).catch(() =>
        nginx.exitCode === null ? ask(caller) : Promise.reject(new Error('nginx has ended')),
      );
    for (const caller of callers) await ask(caller);
  } finally {
    nginx.kill('SIGQUIT');
    await nginx.exited;
  }
  const log = await Bun.file(join(folder.path, 'access.log')).text();
  return log.trim().split('\n');
};

describe('nginxSite()', () => {
  test('nginxSite() counts an IPv4 address, and all addresses of an IPv6 /64 as one', async () => {
    const callers = [
      ...['192.0.2.1', '192.0.2.2', '10.10.10.10'],
      ...[
        '2001:db8:1:2::1',
        '2001:db8:1:2:ffff:a0a:a0a:1',
        '2001:db8:1:3::1',
        '2001:db8:a0a:a0a::1',
        '2001:db8::5:6:7:8',
      ],
    ];
    const networks = await networksOf(callers);
    expect(networks).toHaveLength(callers.length);
    const [first, , , own, neighbour, other] = networks;
    expect(own).toBe(neighbour ?? '');
    expect(own).not.toBe(other ?? '');
    expect(first).not.toBe('-');
    expect(new Set(networks).size).toBe(callers.length - 1);
  });

  test('nginxSite() lets pictures through, upgrades WebSockets and leaves port 443 to the door when there is one', () => {
    const alone = nginxSite(sampleDeployment);
    expect(alone).toContain(`client_max_body_size ${2 * 1024 * 1024 + 64 * 1024};`);
    expect(alone).toContain('  listen 443 ssl http2;\n  listen [::]:443 ssl http2;\n');
    expect(alone).toContain('location ~ ^/(ws|agent|api/v1/sessions/[^/]+/signalling)$ {');
    const turn_host = 'turn.vitrina.example';
    const shared = nginxSite({ ...sampleDeployment, turn_host });
    expect(shared).not.toMatch(/listen.*443/);
    expect(shared).toContain('real_ip_header proxy_protocol;');
    expect(nginxStream({ ...sampleDeployment, turn_host })).toContain(
      '~*^[^/]+/turn\\.vitrina\\.example$ vitrina_turn_tls;',
    );
  });
});
