import { join } from 'node:path';
import type { Role } from '../http/gate.ts';

/** What `inside.ts` says about the process that it runs in. */
export interface Inside {
  longest_turn_ms: number;
  heap_bytes: number;
  objects: number;
  rss: number;
}

type Line = Record<string, unknown>;

/** A signalling server as a process of its own on free ports, stopped by `await using`. */
export interface Running extends AsyncDisposable {
  ports: Record<Role, number>;
  url(role: Role): string;
  /** How its event loop and memory have been since the last time. */
  inside(): Promise<Inside>;
  /** Log lines so far that are errors, or no log lines at all (an uncaught error's trace). */
  errors(): string[];
  /** Set once it has ended. */
  exit(): number | null;
}

const file = (name: string): string => join(import.meta.dir, name);

/** Calls `take` for each line of a stream. */
const eachLine = async (stream: ReadableStream<Uint8Array>, take: (line: string) => void): Promise<void> => {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  }
};

const parsed = (text: string): Line | undefined => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export const running = async (...args: string[]): Promise<Running> => {
  const child = Bun.spawn(
    [
      ...[process.execPath, '--preload', file('inside.ts'), file('../main.ts'), '--bind', '127.0.0.1'],
      ...['--player_port', '0', '--streamer_port', '0', '--sfu_port', '0', ...args],
    ],
    { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' },
  );
  const errors: string[] = [];
  const waiting = new Map<string, (line: Line) => void>();
  eachLine(child.stderr, (line) => errors.push(line));
  eachLine(child.stdout, (text) => {
    const line = parsed(text);
    if (line === undefined || line.level === 'error') errors.push(text);
    else waiting.get(String(line.msg))?.(line);
  });
  const next = (msg: string): Promise<Line> =>
    Promise.race([
      new Promise<Line>((resolve) => waiting.set(msg, resolve)),
      child.exited.then((exit) =>
        Promise.reject(new Error(`the server ended: ${exit}\n${errors.join('\n')}`)),
      ),
    ]);
  const { player_port, streamer_port, sfu_port } = await next('listening');
  const ports = { player: Number(player_port), streamer: Number(streamer_port), sfu: Number(sfu_port) };
  return {
    ports,
    url: (role) => `ws://127.0.0.1:${ports[role]}/`,
    async inside() {
      const said = next('inside');
      child.kill('SIGUSR2');
      const { longest_turn_ms, heap_bytes, objects, rss } = await said;
      return {
        longest_turn_ms: Number(longest_turn_ms),
        heap_bytes: Number(heap_bytes),
        objects: Number(objects),
        rss: Number(rss),
      };
    },
    errors: () => errors,
    exit: () => child.exitCode,
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
};
