import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianRoot, within } from './debian-root.ts';

/** A real server of this test alone that keeps nothing on the disk. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Stops it without ending it: what is connected hears nothing any more, until it goes on. */
  freeze(): void;
  thaw(): void;
  /** Starts it, empty. */
  start(): Promise<void>;
}

/** A server of the Redis family: as this machine has it, or Valkey from a newer Debian. */
interface RedisProgram {
  readonly file: string;
  run(folder: string, command: readonly string[]): string[];
}

/** Which of them the tests run on: `VITRINA_TEST_REDIS=valkey` for the second. */
const redisProgram = async (): Promise<RedisProgram> => {
  if (process.env.VITRINA_TEST_REDIS !== 'valkey') {
    return { file: 'redis-server', run: (_, command) => [...command] };
  }
  const root = await debianRoot({ suite: 'trixie', packages: ['valkey-server'] });
  return { file: '/usr/bin/valkey-server', run: (folder, command) => within(root, folder, command) };
};

/** Resolves once it says `sign`, with what it said when it ended before. Goes on reading, so that it never waits. */
const says = (output: ReadableStream<Uint8Array>, sign: RegExp): Promise<string | undefined> => {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const read = async () => {
    let said = '';
    for await (const bytes of output) {
      said = `${said}${Buffer.from(bytes).toString()}`.slice(-10_000);
      if (sign.test(said)) resolve(undefined);
    }
    resolve(said);
  };
  void read();
  return promise;
};

export interface ServerOptions {
  /** Where its files are; the server sees it under the same path. */
  readonly folder: string;
  /** Its arguments: a configuration file, or options. */
  readonly args: readonly string[];
  readonly url: string;
}

/** Starts a server, or a Sentinel. Whoever gave the folder removes it. */
export const startServer = async ({ folder, args, url }: ServerOptions): Promise<TestRedis> => {
  const { file, run } = await redisProgram();
  let child: Bun.Subprocess<'ignore', 'pipe', 'inherit'> | undefined;
  const redis: TestRedis = {
    url,
    async kill() {
      child?.kill('SIGKILL');
      await child?.exited;
    },
    freeze: () => child?.kill('SIGSTOP'),
    thaw: () => child?.kill('SIGCONT'),
    async start() {
      child = Bun.spawn(run(folder, [file, ...args]), { stdio: ['ignore', 'pipe', 'inherit'] });
      const failed = await says(child.stdout, /ready to accept connections|Sentinel ID is/i);
      if (failed !== undefined) throw new Error(`${file} did not start:\n${failed}`);
    },
    async [Symbol.asyncDispose]() {
      await redis.kill();
    },
  };
  await redis.start();
  return redis;
};

/** A folder of its own; short, because the path of a socket is. */
export const redisFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'vr-'));
  chmodSync(folder, 0o755);
  return folder;
};

/** Nothing is kept, and whoever reaches the socket or the port may come in. */
export const unsaved = (folder: string): string[] => {
  const options = { save: '', appendonly: 'no', dir: folder, 'protected-mode': 'no' };
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
};

/** On a socket of its own, with further options. */
export const startRedis = async (options: readonly string[] = []): Promise<TestRedis> => {
  const folder = redisFolder();
  const socket = join(folder, 'redis.sock');
  const args = ['--port', '0', '--unixsocket', socket, ...unsaved(folder), ...options];
  const redis = await startServer({ folder, args, url: `redis+unix://${socket}` });
  return {
    ...redis,
    async [Symbol.asyncDispose]() {
      await redis.kill();
      rmSync(folder, { recursive: true });
    },
  };
};
