import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { databasePrograms, newDatabaseProcess } from './database-process.ts';
import { freePorts } from './free-ports.ts';
import { startGalera } from './galera.ts';

/** A database server of the caller's own: its files in a temporary folder, reached over a socket in it. */
export interface PrivateMariadb extends AsyncDisposable {
  /** A new, empty database on it; its URL. */
  createDatabase(name: string): Promise<string>;
  /** The URL by which another coordinator reaches the same database: through another node, where there are several. */
  elsewhere(url: string): string;
  /** The port on 127.0.0.1; none unless asked for. */
  readonly port: number | undefined;
  /** Runs SQL as the server's administrator. */
  administer(sql: string): Promise<void>;
  /** Kills the server as a crash would. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

export interface MariadbOptions {
  /** Further options of the server. */
  readonly options?: readonly string[];
  /** Listens on a port of 127.0.0.1, too. */
  readonly networking?: boolean;
}

/** Servers that the tests can run on. */
export const testServers = ['mariadb', 'mariadb11', 'mysql', 'galera'] as const;
export type TestServer = (typeof testServers)[number];

/** The one of this run, from the environment: MariaDB as this machine has it, unless it says otherwise. */
export const testServer = (): TestServer => {
  const named = process.env.VITRINA_TEST_SERVER ?? 'mariadb';
  const known = testServers.find((one) => one === named);
  if (known === undefined) throw new Error(`VITRINA_TEST_SERVER is none of ${testServers.join(', ')}`);
  return known;
};

/** The server, started and ready. */
export const startMariadb = async ({
  options = [],
  networking = false,
}: MariadbOptions = {}): Promise<PrivateMariadb> => {
  const kind = testServer();
  const folder = await mkdtemp(join(tmpdir(), 'vitrina-mariadb-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const port = networking ? await freePorts() : undefined;
  const listen = port === undefined ? ['--skip-networking'] : [`--port=${port}`, '--bind-address=127.0.0.1'];
  if (kind === 'galera') return startGalera(folder, options);
  const server = await newDatabaseProcess(await databasePrograms(kind), {
    folder,
    options: [...listen, ...options],
  });
  await server.start();
  return {
    port,
    start: () => server.start(),
    kill: server.kill,
    administer: server.administer,
    elsewhere: (url) => url,
    async createDatabase(name) {
      await server.administer(`CREATE DATABASE \`${name}\``);
      return server.url(name);
    },
    async [Symbol.asyncDispose]() {
      await server.kill();
      await remove();
    },
  };
};
