import { join } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { temporaryFolder } from './folder.ts';
import { no_shares } from './store.ts';

/** The real coordinator in a process of its own, on a data directory of its own. */
export interface CoordinatorProcess extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** Its data directory. */
  readonly directory: string;
}

export interface CoordinatorOptions {
  /** What its servers.json says. */
  readonly servers: readonly object[];
  /** Further fields of configuration.json. */
  readonly configuration?: object;
  /** DATABASE_URL; the JSON files without it. */
  readonly url?: string;
  /** Fills the data directory before it starts. */
  readonly prepare?: (directory: string) => Promise<void>;
}

const main = join(import.meta.dir, '..', 'main.ts');
const port_ms = 30_000;

/** The port that the log tells; reads on, so that the program never waits for us. */
const portOf = (output: ReadableStream<Uint8Array>): Promise<number> => {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const read = async () => {
    let said = '';
    for await (const chunk of output) {
      said = `${said}${Buffer.from(chunk).toString()}`.slice(-10_000);
      const port = /"url":"[^"]*:(\d+)\/?"/.exec(said)?.[1];
      if (port !== undefined) resolve(Number(port));
    }
    reject(new Error(`the coordinator ended:\n${said}`));
  };
  systemClock.after(port_ms, () => reject(new Error('the coordinator did not start')));
  read().catch(reject);
  return promise;
};

/** Starts it with as many open files as 20,000 sockets need. */
export const startCoordinatorProcess = async ({
  servers,
  configuration = {},
  url,
  prepare,
}: CoordinatorOptions): Promise<CoordinatorProcess> => {
  const folder = await temporaryFolder();
  await folder.write('servers.json', servers);
  await folder.write('configuration.json', {
    ip: '127.0.0.1',
    port: 0,
    time_between_updates_seconds: 3_600,
    ...no_shares,
    ...configuration,
  });
  await prepare?.(folder.path);
  const command = 'ulimit -n "$(ulimit -Hn)"; exec "$0" "$@"';
  const child = Bun.spawn(
    ['sh', '-c', command, process.execPath, main, 'serve', '--data', folder.path, '--port', '0'],
    {
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'inherit',
      env: { ...process.env, DATABASE_URL: url },
    },
  );
  const stop = async () => {
    child.kill('SIGKILL');
    await child.exited;
    await folder[Symbol.asyncDispose]();
  };
  try {
    const port = await portOf(child.stdout);
    return { port, pid: child.pid, directory: folder.path, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
};
