import { join } from 'node:path';
import { type Message, openPeer, type TestPeer } from './peers.ts';

/** A signalling server as a process of its own, on free ports. */
export interface PeerProcess extends AsyncDisposable {
  open(): Promise<TestPeer>;
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>;
}

/** Reads the log to its end; `said` is told of the line that names the ports. */
const readLog = async (output: ReadableStream<Uint8Array>, said: (line: Message) => void): Promise<void> => {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of output) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.includes('"msg":"listening"')) said(JSON.parse(line));
  }
};

export const spawnSignalling = async (redis_url: string): Promise<PeerProcess> => {
  const ports = ['player', 'streamer', 'sfu'].flatMap((role) => [`--${role}_port`, '0']);
  const child = Bun.spawn(
    [
      ...[process.execPath, join(import.meta.dir, '..', 'main.ts'), '--bind', '127.0.0.1', ...ports],
      ...['--redis_url', redis_url, '--max_messages_per_second', '1000'],
    ],
    { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' },
  );
  const listening = Promise.withResolvers<Message>();
  const drained = readLog(child.stdout, listening.resolve);
  const ended = drained.then(() => Promise.reject(new Error('the server did not start')));
  const { player_port } = await Promise.race([listening.promise, ended]);
  ended.catch(() => undefined);
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await child.exited;
    await drained;
  };
  return {
    open: () => openPeer(`ws://127.0.0.1:${player_port}/peers`),
    kill,
    [Symbol.asyncDispose]: kill,
  };
};
