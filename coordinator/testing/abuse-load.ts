/**
 * `bun coordinator/testing/abuse-load.ts '{...}'`: asks the same thing over many connections at once for so long, each as soon
 * as it has the answer before, and prints how many answers came, by status. An answer that becomes a WebSocket, or closes the
 * connection, is followed by a new connection.
 */
import { systemClock } from '../../shared/clock.ts';

export interface Load {
  readonly port: number;
  readonly seconds: number;
  readonly connections: number;
  /** The whole request, as it goes over the connection. */
  readonly request: string;
}

export interface LoadReport {
  readonly answers: Record<string, number>;
  readonly per_second: number;
}

/** What a connection has been told of its present answer; `left` is undefined until the head is there. */
interface Progress {
  head: string;
  left: number | undefined;
  status: string;
  closes: boolean;
}

const fresh = (): Progress => ({ head: '', left: undefined, status: '', closes: false });

/** Reads on; says whether the answer is complete. Only those with a Content-Length are known to end before the connection. */
const read = (progress: Progress, bytes: Buffer): boolean => {
  if (progress.left !== undefined) progress.left -= bytes.length;
  else {
    progress.head += bytes.toString('latin1');
    const end = progress.head.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const head = progress.head.slice(0, end);
    progress.status = head.slice(9, 12);
    progress.closes = progress.status === '101' || /\r\nconnection: close/i.test(head);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    progress.left = length - (progress.head.length - end - 4);
  }
  return progress.left <= 0;
};

const flood = async ({ port, seconds, connections, request }: Load): Promise<LoadReport> => {
  const answers: Record<string, number> = {};
  let stopped = false;
  const count = (status: string) => {
    answers[status] = (answers[status] ?? 0) + 1;
  };
  const dial = () => {
    let progress = fresh();
    Bun.connect({
      hostname: '127.0.0.1',
      port,
      socket: {
        open: (socket) => void socket.write(request),
        data(socket, bytes) {
          if (!read(progress, bytes)) return;
          const { status, closes } = progress;
          count(status);
          progress = fresh();
          if (stopped) return;
          if (closes) socket.terminate();
          else socket.write(request);
        },
        close() {
          if (!stopped) setImmediate(dial);
        },
      },
    }).catch(() => {
      count('refused');
      if (!stopped) setImmediate(dial);
    });
  };
  for (let number = 0; number < connections; number++) dial();
  await new Promise<void>((resolve) => systemClock.after(seconds * 1_000, resolve));
  stopped = true;
  const all = Object.values(answers).reduce((sum, some) => sum + some, 0);
  return { answers, per_second: Math.round(all / seconds) };
};

if (import.meta.main) {
  process.stdout.write(JSON.stringify(await flood(JSON.parse(process.argv[2] ?? '{}') as Load)));
  process.exit(0);
}
