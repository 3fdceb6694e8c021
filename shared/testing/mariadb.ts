import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from './free-ports.ts';

/** A database server of the caller's own: its files in a temporary folder, reached over a socket in it. */
export interface PrivateMariadb extends AsyncDisposable {
  /** A new, empty database on it; its URL. */
  createDatabase(name: string): Promise<string>;
  /** The port on 127.0.0.1; none unless asked for. */
  readonly port: number | undefined;
  /** Runs SQL as the server's administrator. */
  administer(sql: string): Promise<void>;
  /** Kills the server as a crash would. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

const server = '/usr/sbin/mariadbd';
const start_ms = 60_000;
/** Whatever the server's own default is. */
const writable = 'SET SESSION tx_read_only = 0, SESSION autocommit = 1';

const run = async (command: string[]): Promise<void> => {
  const child = Bun.spawn(command, {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  const texts = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`"${command.join(' ')}" failed:\n${texts.join('')}`);
};

/** Needs root and a Debian when the server is not installed yet. */
const install = async (): Promise<void> => {
  if (existsSync(server)) return;
  await run(['apt-get', 'update', '-q']);
  await run(['apt-get', 'install', '-y', '-q', '--no-install-recommends', 'mariadb-server']);
};

/** Resolves when the server is ready, or with what it said when it ended. Goes on reading, so that it never waits. */
const ready = (output: ReadableStream<Uint8Array>): Promise<string | undefined> => {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const read = async () => {
    let said = '';
    for await (const chunk of output) {
      said = `${said}${Buffer.from(chunk).toString()}`.slice(-10_000);
      // The last line of a start, in whatever language the one before it says so.
      if (/^Version: '.*socket: /im.test(said)) resolve(undefined);
    }
    resolve(said);
  };
  void read();
  return promise;
};

export interface MariadbOptions {
  /** Further options of `mariadbd`. */
  readonly options?: readonly string[];
  /** Listens on a port of 127.0.0.1, too. */
  readonly networking?: boolean;
}

/** The server, started and ready. */
export const startMariadb = async ({
  options = [],
  networking = false,
}: MariadbOptions = {}): Promise<PrivateMariadb> => {
  await install();
  const port = networking ? await freePorts() : undefined;
  const folder = await mkdtemp(join(tmpdir(), 'vitrina-mariadb-'));
  const [data, socket] = [join(folder, 'data'), join(folder, 's')];
  const who = `--user=${process.env.USER ?? 'root'}`;
  // A server that starts removes the temporary tables that it finds there: those of another one too.
  const temporary = `--tmpdir=${folder}`;
  await run([
    'mariadb-install-db',
    '--no-defaults',
    `--datadir=${data}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    temporary,
    who,
  ]);
  let child: Bun.Subprocess | undefined;
  const start = async () => {
    const started = Bun.spawn(
      [
        server,
        '--no-defaults',
        `--datadir=${data}`,
        `--socket=${socket}`,
        `--pid-file=${join(folder, 'pid')}`,
        ...(port === undefined ? ['--skip-networking'] : [`--port=${port}`, '--bind-address=127.0.0.1']),
        '--innodb-buffer-pool-size=64M',
        temporary,
        who,
        ...options,
      ],
      { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' },
    );
    child = started;
    const timer = setTimeout(() => started.kill('SIGKILL'), start_ms);
    const said = await ready(started.stderr);
    clearTimeout(timer);
    if (said !== undefined) throw new Error(`mariadbd did not start:\n${said}`);
  };
  const kill = async () => {
    child?.kill('SIGKILL');
    await child?.exited;
  };
  const administer = (sql: string) =>
    run(['mariadb', '--no-defaults', `--socket=${socket}`, '--user=root', '-e', `${writable}; ${sql}`]);
  await start();
  return {
    port,
    start,
    kill,
    administer,
    async createDatabase(name) {
      await administer(`CREATE DATABASE \`${name}\``);
      return `mysql://root@localhost/${name}?socket=${encodeURIComponent(socket)}`;
    },
    async [Symbol.asyncDispose]() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
