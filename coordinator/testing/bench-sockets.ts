import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { startCoordinatorProcess } from './coordinator-process.ts';
import { timed } from './percentiles.ts';
import { entry } from './store.ts';

/** What the process holds in memory, in MiB. */
const residentMib = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s*(\d+) kB/.exec(status)?.[1]) / 1_024;
};

/** The highest of what is seen in five seconds: the garbage of the handshakes may still be there. */
const settledMib = async (pid: number): Promise<number> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  let most = await residentMib(pid);
  const stop = systemClock.every(500, async () => {
    most = Math.max(most, await residentMib(pid));
  });
  systemClock.after(5_000, resolve);
  await promise;
  stop();
  return most;
};

/** By how much a real coordinator grows when so many clients are connected to `/ws` and say nothing. */
export const benchSockets = async (sockets: number) => {
  await using coordinator = await startCoordinatorProcess({
    servers: [entry('a', 'Loft')],
    configuration: { connections_per_address: 20_000 },
  });
  const { port, pid } = coordinator;
  await fetch(`http://127.0.0.1:${port}/api/v1/apps`);
  const before = await settledMib(pid);
  const holder = Bun.spawn(
    [
      'sh',
      '-c',
      'ulimit -n "$(ulimit -Hn)"; exec "$0" "$@"',
      process.execPath,
      join(import.meta.dir, 'socket-holder.ts'),
      `ws://127.0.0.1:${port}/ws`,
      String(sockets),
    ],
    { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' },
  );
  try {
    let said = '';
    const opening_ms = await timed(async () => {
      for await (const chunk of holder.stdout) {
        said += Buffer.from(chunk).toString();
        if (said.includes('\n')) break;
      }
    });
    const after = await settledMib(pid);
    return {
      sockets,
      open: Number(said.split(' ')[1]),
      /** As the coordinator sees it: sockets, and the few files that it has. */
      files_of_coordinator: (await readdir(`/proc/${pid}/fd`)).length,
      opening_seconds: Math.round(opening_ms / 1_000),
      before_mib: Math.round(before),
      after_mib: Math.round(after),
      growth_mib: Math.round(after - before),
    };
  } finally {
    holder.kill('SIGKILL');
    await holder.exited;
  }
};
