import { existsSync } from 'node:fs';
import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { debianRoot, within } from './debian-root.ts';

/** The programs of a database server. */
export interface DatabasePrograms {
  readonly name: 'mariadb' | 'mariadb11' | 'mysql';
  /** The command as it is started: as it is, or within another Debian that sees `folder`. */
  run(folder: string, command: readonly string[]): string[];
}

const start_ms = 120_000;

/** Runs a command to its end. Throws with what it said when it fails. */
export const runCommand = async (command: string[]): Promise<void> => {
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
  if (existsSync('/usr/sbin/mariadbd')) return;
  await runCommand(['apt-get', 'update', '-q']);
  await runCommand(['apt-get', 'install', '-y', '-q', '--no-install-recommends', 'mariadb-server']);
};

/** The programs by their name: MariaDB as this machine has it, MariaDB 11.8 or MySQL 9.7 from a newer Debian. */
export const databasePrograms = async (name: DatabasePrograms['name']): Promise<DatabasePrograms> => {
  if (name === 'mariadb') {
    await install();
    return { name, run: (_, command) => [...command] };
  }
  const root =
    name === 'mysql'
      ? await debianRoot({ suite: 'sid', packages: ['mysql-server-core', 'mysql-client-core'] })
      : await debianRoot({ suite: 'trixie', packages: ['mariadb-server-core', 'mariadb-client'] });
  return { name, run: (folder, command) => within(root, folder, command) };
};

/** Resolves when the server is ready, or with what it said when it ended. Goes on reading, so that it never waits. */
const ready = (output: ReadableStream<Uint8Array>): Promise<string | undefined> => {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const read = async () => {
    let said = '';
    for await (const chunk of output) {
      said = `${said}${Buffer.from(chunk).toString()}`.slice(-10_000);
      // The last line of a start, in whatever language the words before it are.
      if (/Version: '.*socket: '/i.test(said)) resolve(undefined);
    }
    resolve(said);
  };
  void read();
  return promise;
};

/** One database server, on files of its own. */
export interface DatabaseProcess {
  /** The URL of a database on it. */
  url(name: string): string;
  /** Runs SQL as the server's administrator. */
  administer(sql: string): Promise<void>;
  start(more?: readonly string[]): Promise<void>;
  /** Kills it as a crash would. */
  kill(): Promise<void>;
}

/** Where a server keeps its files, as whom it runs, and further options of it. */
export interface DatabaseProcessOptions {
  readonly folder: string;
  readonly user?: { readonly name: string; readonly uid: number } | undefined;
  readonly options: readonly string[];
}

/** MySQL remembers this one from the first start. */
const isLasting = (option: string): boolean => option.startsWith('--lower-case-table-names');

/** A new server, not started yet. */
export const newDatabaseProcess = async (
  { name, run }: DatabasePrograms,
  { folder, user, options }: DatabaseProcessOptions,
): Promise<DatabaseProcess> => {
  const [data, socket] = [join(folder, 'data'), join(folder, 's')];
  await mkdir(folder, { recursive: true });
  if (user !== undefined) await chown(folder, user.uid, user.uid);
  const mysql = name === 'mysql';
  const program = mysql ? '/usr/sbin/mysqld' : '/usr/sbin/mariadbd';
  const common = [
    `--datadir=${data}`,
    // A server that starts removes the temporary tables that it finds there: those of another one too.
    `--tmpdir=${folder}`,
    `--user=${user?.name ?? 'root'}`,
  ];
  const initialise = mysql
    ? [program, '--no-defaults', '--initialize-insecure', ...options.filter(isLasting)]
    : [
        'mariadb-install-db',
        '--no-defaults',
        '--force',
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
      ];
  await runCommand(run(folder, [...initialise, ...common]));
  let child: Bun.Subprocess | undefined;
  return {
    url: (database) => `mysql://root@localhost/${database}?socket=${encodeURIComponent(socket)}`,
    administer: (sql) => {
      const client = mysql ? 'mysql' : 'mariadb';
      // Whatever the server's own default is.
      const writable = `SET SESSION ${mysql ? 'transaction_read_only' : 'tx_read_only'} = 0, SESSION autocommit = 1`;
      return runCommand(
        run(folder, [
          client,
          '--no-defaults',
          `--socket=${socket}`,
          '--user=root',
          '-e',
          `${writable}; ${sql}`,
        ]),
      );
    },
    async start(more = []) {
      const command = [program, '--no-defaults', ...common, `--socket=${socket}`];
      const pid = `--pid-file=${join(folder, 'pid')}`;
      const small = [
        '--innodb-buffer-pool-size=64M',
        ...(mysql ? ['--mysqlx=OFF', '--secure-file-priv='] : []),
      ];
      const started = Bun.spawn(run(folder, [...command, pid, ...small, ...options, ...more]), {
        stdin: 'ignore',
        stdout: 'ignore',
        stderr: 'pipe',
      });
      child = started;
      const timer = setTimeout(() => started.kill('SIGKILL'), start_ms);
      const said = await ready(started.stderr);
      clearTimeout(timer);
      if (said !== undefined) throw new Error(`${program} did not start:\n${said}`);
    },
    async kill() {
      child?.kill('SIGKILL');
      await child?.exited;
    },
  };
};
