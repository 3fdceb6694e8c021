import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../clock.ts';
import { systemIds } from '../ids.ts';
import { requests } from '../stun.ts';
import { openUdpStun } from '../stun-sockets.ts';
import { freePorts } from './free-ports.ts';

/** Debian's coturn, of this test alone, on 127.0.0.1. */
export interface TestTurn extends AsyncDisposable {
  readonly port: number;
  /** With `cert` and `pkey` among the options. */
  readonly tls_port: number;
}

/** The machine that runs the tests may be busy. */
const start_ms = 30_000;

const untilAnswers = async (port: number): Promise<void> => {
  const socket = await openUdpStun({ clock: systemClock, ids: systemIds, patience_ms: start_ms });
  try {
    await socket.askOf({ address: '127.0.0.1', port })(requests.binding, []);
  } finally {
    socket.close();
  }
};

/** Starts it with `options` (lines of its configuration without dashes) and waits until it answers. */
export const startCoturn = async (...options: string[]): Promise<TestTurn> => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-coturn-'));
  // Each of the two has a second one beside it, for RFC 5780.
  const port = await freePorts(4);
  const tls_port = port + 2;
  const child = Bun.spawn(
    [
      ...['turnserver', '-n', '--no-dtls', '--no-cli', '--log-file', 'stdout'],
      ...(options.some((option) => option.startsWith('cert=')) ? [] : ['--no-tls']),
      ...[
        `--listening-port=${port}`,
        `--tls-listening-port=${tls_port}`,
        '--listening-ip=127.0.0.1',
        '--relay-ip=127.0.0.1',
      ],
      ...[`--pidfile=${join(folder, 'pid')}`, `--userdb=${join(folder, 'userdb')}`],
      ...options.map((option) => `--${option}`),
    ],
    { stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' },
  );
  const stop = async () => {
    child.kill('SIGKILL');
    await child.exited;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await Promise.race([
      untilAnswers(port),
      child.exited.then((exit) => Promise.reject(new Error(`turnserver ended with ${exit}`))),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, tls_port, [Symbol.asyncDispose]: stop };
};
