import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A real Redis of this test alone, on a Unix socket, that keeps nothing on the disk. */
export interface TestRedis extends AsyncDisposable {
  readonly url: string;
  /** Ends it at once. */
  kill(): Promise<void>;
  /** Starts it, empty. */
  start(): Promise<void>;
}

const ready = async (output: ReadableStream<Uint8Array>): Promise<void> => {
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of output) {
    text += decoder.decode(bytes);
    if (/ready to accept connections/i.test(text)) return;
  }
  throw new Error(`redis-server did not start:\n${text}`);
};

export const startRedis = async (): Promise<TestRedis> => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-redis-'));
  const socket = join(folder, 'redis.sock');
  const options = [
    '--port',
    '0',
    '--unixsocket',
    socket,
    '--save',
    '',
    '--appendonly',
    'no',
    '--dir',
    folder,
  ];
  let child: Bun.Subprocess<'ignore', 'pipe', 'inherit'> | undefined;
  const redis: TestRedis = {
    url: `redis+unix://${socket}`,
    async kill() {
      child?.kill('SIGKILL');
      await child?.exited;
    },
    async start() {
      child = Bun.spawn(['redis-server', ...options], {
        stdin: 'ignore',
        stdout: 'pipe',
        stderr: 'inherit',
      });
      await ready(child.stdout);
    },
    async [Symbol.asyncDispose]() {
      await redis.kill();
      rmSync(folder, { recursive: true });
    },
  };
  await redis.start();
  return redis;
};
