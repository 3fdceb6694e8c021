import { existsSync } from 'node:fs';

/** A Debian package that a command needs, and the file that shows that it is there. */
interface DebianPackage {
  name: string;
  file: string;
}

/** What the tests use beyond npm packages. */
export const testPackages: DebianPackage[] = [
  { name: 'chromium', file: '/usr/bin/chromium' },
  { name: 'iproute2', file: '/usr/sbin/ip' },
  { name: 'nftables', file: '/usr/sbin/nft' },
  { name: 'systemd', file: '/usr/bin/systemd-analyze' },
  { name: 'systemd-container', file: '/usr/bin/systemd-nspawn' },
  { name: 'procps', file: '/usr/sbin/sysctl' },
  { name: 'coturn', file: '/usr/bin/turnserver' },
  { name: 'nginx', file: '/usr/sbin/nginx' },
  { name: 'libnginx-mod-stream', file: '/usr/lib/nginx/modules/ngx_stream_module.so' },
  { name: 'haproxy', file: '/usr/sbin/haproxy' },
  { name: 'caddy', file: '/usr/bin/caddy' },
  { name: 'openssl', file: '/usr/bin/openssl' },
  { name: 'curl', file: '/usr/bin/curl' },
  { name: 'mariadb-server', file: '/usr/sbin/mariadbd' },
  { name: 'redis-server', file: '/usr/bin/redis-server' },
];

const run = async (command: string[]) => {
  const child = Bun.spawn(command, {
    stdout: 'ignore',
    stderr: 'pipe',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  const problems = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`"${command.join(' ')}" failed:\n${problems}`);
};

/** Installs those of the packages that are missing. Needs root; throws with apt's own words when it cannot. */
export const installDebianPackages = async (packages: DebianPackage[]): Promise<void> => {
  const missing = packages.filter(({ file }) => !existsSync(file)).map(({ name }) => name);
  if (missing.length === 0) return;
  process.stderr.write(`Installing Debian packages: ${missing.join(', ')} ...\n`);
  await run(['apt-get', 'update', '-q']);
  await run(['apt-get', 'install', '-y', '-q', '--no-install-recommends', ...missing]);
};
