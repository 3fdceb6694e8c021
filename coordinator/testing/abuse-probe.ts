/**
 * `bun coordinator/testing/abuse-probe.ts '{...}'`: asks `/healthz` over a connection of its own each time, as a health check
 * does, until it is told to end on standard input; then prints how long the answers took and what was wrong.
 */
import { systemClock } from '../../shared/clock.ts';
import { percentiles, timed } from './percentiles.ts';

export interface Probe {
  readonly port: number;
  readonly every_ms: number;
  /** Whom the request comes from, as a proxy says. */
  readonly address: string;
}

export interface ProbeReport extends ReturnType<typeof percentiles> {
  readonly asked: number;
  /** Answers that were no 200, by what came. */
  readonly wrong: Record<string, number>;
}

/** Longer than anybody would wait for a health check. */
const patience_ms = 20_000;

const ask = ({ port, address }: Probe): Promise<string> => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const cancel = systemClock.after(patience_ms, () => resolve('nothing'));
  Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      open: (socket) =>
        void socket.write(`GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: ${address}\r\n\r\n`),
      data(socket, bytes) {
        resolve(bytes.toString('latin1', 9, 12));
        socket.end();
      },
      close: () => resolve('closed'),
    },
  }).catch(() => resolve('refused'));
  return promise.finally(cancel);
};

const probe = async (options: Probe): Promise<ProbeReport> => {
  const took_ms: number[] = [];
  const wrong: Record<string, number> = {};
  let stopped = false;
  process.stdin.once('data', () => {
    stopped = true;
  });
  while (!stopped) {
    took_ms.push(
      await timed(async () => {
        const status = await ask(options);
        if (status !== '200') wrong[status] = (wrong[status] ?? 0) + 1;
      }),
    );
    await new Promise<void>((resolve) => systemClock.after(options.every_ms, resolve));
  }
  return { asked: took_ms.length, wrong, ...percentiles(took_ms) };
};

if (import.meta.main) {
  process.stdout.write(JSON.stringify(await probe(JSON.parse(process.argv[2] ?? '{}') as Probe)));
  process.exit(0);
}
