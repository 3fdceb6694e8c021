import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRedis } from '../redis.ts';
import { freePorts } from './free-ports.ts';
import { redisFolder, startServer, type TestRedis, unsaved } from './redis.ts';

/** Two servers of which one is the master, and three Sentinels that make the other one it when the first dies. */
export interface TestSentinels extends AsyncDisposable {
  readonly url: string;
  /** The first master. */
  readonly master: TestRedis;
}

const sentinelConfig = (folder: string, port: number, master: number): string =>
  [
    `port ${port}`,
    'bind 127.0.0.1',
    'protected-mode no',
    `dir ${folder}`,
    `sentinel monitor vitrina 127.0.0.1 ${master} 2`,
    'sentinel down-after-milliseconds vitrina 1000',
    'sentinel failover-timeout vitrina 5000',
    '',
  ].join('\n');

/** Resolves when the Sentinel knows the replica and the other Sentinels: before that it could not replace the master. */
const knowsAll = async (sentinel: string): Promise<void> => {
  const redis = openRedis(`redis://${sentinel}`, 5_000, { ready: () => undefined, away: () => undefined });
  try {
    await redis.arrived;
    for (;;) {
      const fields = (await redis.send('SENTINEL', 'master', 'vitrina')) as string[];
      const is = (name: string) => fields[fields.indexOf(name) + 1];
      if (is('num-slaves') === '1' && is('num-other-sentinels') === '2') return;
    }
  } finally {
    redis.close();
  }
};

export const startSentinels = async (): Promise<TestSentinels> => {
  const folder = redisFolder();
  const port = await freePorts(5);
  const server = (at: number, ...more: string[]) =>
    startServer({
      folder,
      args: ['--port', String(at), '--bind', '127.0.0.1', ...unsaved(folder), ...more],
      url: `redis://127.0.0.1:${at}`,
    });
  const master = await server(port);
  const replica = await server(port + 1, '--replicaof', '127.0.0.1', String(port));
  const sentinels = await Promise.all(
    [2, 3, 4].map(async (at) => {
      const file = join(folder, `sentinel-${at}.conf`);
      writeFileSync(file, sentinelConfig(folder, port + at, port));
      return startServer({ folder, args: [file, '--sentinel'], url: `127.0.0.1:${port + at}` });
    }),
  );
  await Promise.all(sentinels.map(({ url }) => knowsAll(url)));
  return {
    url: `redis+sentinel://${sentinels.map(({ url }) => url).join(',')}/vitrina`,
    master,
    async [Symbol.asyncDispose]() {
      await Promise.all([...sentinels, master, replica].map((one) => one.kill()));
      rmSync(folder, { recursive: true });
    },
  };
};
