import { stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Server } from 'bun';
import { systemClock } from '../shared/clock.ts';
import { handle, understand } from '../shared/command-line.ts';
import type { Handlers } from '../shared/commands.ts';
import { describeProblem } from '../shared/config.ts';
import { sharedAdvice } from '../shared/file-rights.ts';
import { systemIds } from '../shared/ids.ts';
import { limits } from '../shared/limits.ts';
import { createLog, type Log } from '../shared/log.ts';
import { ownAddresses } from '../shared/own-addresses.ts';
import type { SocketData } from '../shared/socket.ts';
import { version } from '../shared/version.ts';
import { type Coordinator, startCoordinator } from './app.ts';
import { type CatalogueFiles, openDataDirectory } from './catalogue/data-directory.ts';
import { check } from './command-line/check.ts';
import { listenForOrders, type ServeUnix } from './command-line/control.ts';
import { enrol, eraseAccount, type Means, makeAdmin, resetPassword } from './command-line/orders.ts';
import { type CoordinatorCommands, commandLine, type GivenTo } from './commands.ts';
import { listenAddress, listenFailure, localUrl } from './config.ts';
import { printDeployment } from './deployment/print.ts';
import { loadSite } from './http/pages.ts';
import type { Bus } from './kit/bus.ts';
import { createMemoryBus } from './kit/bus-memory.ts';
import { openRedisBus } from './kit/bus-redis.ts';
import type { Settings } from './kit/data-directory.ts';
import { bounds } from './kit/limits.ts';
import { sharedSecrets } from './kit/shared-secrets.ts';
import page from './site/index.html';
import { openDatabase } from './store/commands.ts';
import { type Database, Unavailable, Unusable } from './store/database.ts';
import { importFiles, undoImport } from './store/import-command.ts';
import { migrateSchema } from './store/migrate-command.ts';

/** Seconds without a byte after which an HTTP connection is closed: longer than the longest poll. */
const idle_seconds = 60;

/** How long answers and close frames that are under way may take when the program stops. */
const goodbye_ms = 1_000;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** What stands in the data directory; undefined when it cannot be used, and every reason has been said. */
const openData = async (
  directory: string,
  log: Log,
): Promise<{ settings: Settings; files: CatalogueFiles } | undefined> => {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    say(`There is no data directory ${directory}. Make one with servers.json and configuration.json in it.`);
    return undefined;
  }
  const data = await openDataDirectory({ directory, clock: systemClock, log });
  if (!('problems' in data)) return data;
  say(`The data directory ${directory} cannot be used:`);
  for (const problem of data.problems) say(`  ${describeProblem(problem)}`);
  return undefined;
};

/** The database; undefined when it cannot be used, and the reason has been said. */
const openBase = async (directory: string, log: Log): Promise<Database | undefined> => {
  try {
    const url = process.env.DATABASE_URL;
    return await openDatabase(directory, { url, clock: systemClock, ids: systemIds, log });
  } catch (error) {
    if (!(error instanceof Unusable || error instanceof Unavailable)) throw error;
    say(error.message);
    return undefined;
  }
};

/** The bus of all coordinators on a Redis; without one this coordinator is alone. */
const openBus = async (store: Settings, log: Log): Promise<Bus> => {
  const { redis_url } = store.configuration();
  const parts = { clock: systemClock, ids: systemIds, log };
  return redis_url === undefined ? createMemoryBus(parts) : await openRedisBus(redis_url, parts);
};

const listen = (coordinator: Coordinator, hostname: string, port: number): Server<SocketData> =>
  Bun.serve<SocketData>({
    hostname,
    port,
    idleTimeout: idle_seconds,
    // Above what the routes take: Bun's own refusal has no body that says why.
    maxRequestBodySize: bounds.picture_bytes + limits.body_bytes,
    development: false,
    // Without it Bun shares the port with another process as soon as `development` is false.
    reusePort: false,
    fetch: coordinator.fetch,
    websocket: coordinator.websocket,
  });

/** Whoever gives an order says how long it waits. Bun closes a silent Unix socket after 10 s, and its types do not know that it can be told. */
const patient: object = { idleTimeout: 0 };

const serveUnix: ServeUnix = (unix, fetch) =>
  Bun.serve({ unix, maxRequestBodySize: limits.body_bytes, development: false, fetch, ...patient });

const untilSignal = (log: Log): Promise<void> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        log.info({ signal }, 'stopping');
        resolve();
      });
    }
  });

const serve = async (command: GivenTo<'serve'>): Promise<number> => {
  const log = createLog('coordinator', command.log_level);
  const data = await openData(command.data, log);
  if (data === undefined) return 1;
  const { settings: store, files } = data;
  const has_hosts = files.servers().servers.length > 0;
  for (const file of await sharedSecrets(command.data, store.configuration(), has_hosts)) {
    log.warn({ file }, sharedAdvice);
  }
  const db = await openBase(command.data, log);
  if (db === undefined) return 1;
  const { ip, port: configured } = store.configuration();
  const port = command.port ?? configured;
  const address = listenAddress(
    ip,
    ownAddresses().map((own) => own.address),
  );
  const bus = await openBus(store, log);
  const services = { db, store, files, bus, clock: systemClock, ids: systemIds, log };
  const coordinator = await startCoordinator(services, hostname(), await loadSite(page));
  const deafen = await listenForOrders(command.data, coordinator.obey, { log, serve: serveUnix });
  try {
    const server = listen(coordinator, address, port);
    const signal = untilSignal(log);
    if (address !== ip) log.warn({ ip }, 'ip is no address of this machine: listening on all addresses');
    log.info({ url: localUrl(address, server.port ?? port), version, data: command.data }, 'listening');
    await signal;
    await deafen();
    const stopping = coordinator.stop();
    await Promise.race([server.stop(), Bun.sleep(goodbye_ms)]);
    await server.stop(true);
    await stopping;
    await bus.stop();
    await db.close();
    log.info('stopped');
    return 0;
  } catch (error) {
    await deafen();
    await coordinator.stop();
    await bus.stop();
    await db.close();
    say(listenFailure(error, port));
    return 1;
  }
};

/** For commands that are no coordinator. */
const means = (): Means => ({
  url: process.env.DATABASE_URL,
  clock: systemClock,
  ids: systemIds,
  log: createLog('coordinator', 'warn'),
  say,
});

const migrate = ({ status, 'dry-run': dry }: GivenTo<'migrate'>): number | Promise<number> => {
  if (status && dry) {
    say('--status and --dry-run exclude each other');
    return 2;
  }
  const mode = status ? 'status' : dry ? 'dry-run' : 'apply';
  return migrateSchema(mode, process.env.DATABASE_URL, say);
};

const handlers: Handlers<CoordinatorCommands> = {
  serve,
  migrate,
  import: ({ data }) => importFiles(data, means()),
  'import undo': () => undoImport(means()),
  check: (given) => check(means(), given),
  'config nginx': (flags) => printDeployment('nginx', flags, say),
  'config nginx-stream': (flags) => printDeployment('nginx-stream', flags, say),
  'config haproxy': (flags) => printDeployment('haproxy', flags, say),
  'config caddy': (flags) => printDeployment('caddy', flags, say),
  'config coturn': (flags) => printDeployment('coturn', flags, say),
  'config systemd': (flags) => printDeployment('systemd', flags, say),
  'admin create': (given) => makeAdmin(means(), given),
  'admin reset': (given) => resetPassword(means(), given),
  'admin erase': (given) => eraseAccount(means(), given),
  enrol: (given) => enrol(means(), given),
};

const run = (args: readonly string[]): number | Promise<number> => {
  const asked = understand(commandLine, args);
  if ('name' in asked) return handle(handlers, asked);
  (asked.code === 0 ? process.stdout : process.stderr).write(`${asked.text}\n`);
  return asked.code;
};

if (import.meta.main) process.exit(await run(process.argv.slice(2)));
