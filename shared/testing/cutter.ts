import { createConnection, createServer, type Socket } from 'node:net';
import { systemClock } from '../clock.ts';

/** A TCP proxy that a test cuts. */
export interface Cutter {
  readonly port: number;
  /**
   * `hard`: every connection is reset, and new ones are, until `mend`. `silent`: nothing passes any more and nobody is told; what
   * waits goes on with `mend`.
   */
  cut(how: 'hard' | 'silent'): void;
  mend(): void;
  /** Both, so many ms apart. */
  cutFor(how: 'hard' | 'silent', ms: number): Promise<void>;
  stop(): Promise<void>;
}

/** A line on which so many bytes a second arrive, and not more than `step_ms` of them at once. */
const step_ms = 20;

/** Passes bytes on no faster than that; what waits is left with the sender. */
const throttled = (from: Socket, to: Socket, bytes_per_second: number) => {
  const most = Math.ceil((bytes_per_second * step_ms) / 1_000);
  let left = most;
  const pass = () => {
    while (left > 0) {
      const bytes = from.read(Math.min(left, from.readableLength)) as Buffer | null;
      if (bytes === null || bytes.length === 0) return;
      left -= bytes.length;
      to.write(bytes);
    }
  };
  from.on('readable', pass);
  const stop = systemClock.every(step_ms, () => {
    left = most;
    pass();
  });
  from.on('close', stop);
};

/**
 * Forwards 127.0.0.1:`port` of its own to 127.0.0.1:`target`. With `down_bytes_per_second` what comes from there is as slow as
 * a bad line.
 */
export const startCutter = async (target: number, down_bytes_per_second?: number): Promise<Cutter> => {
  const sockets = new Set<Socket>();
  let state: 'open' | 'hard' | 'silent' = 'open';

  const adopt = (socket: Socket, other: Socket, limit?: number) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    if (limit !== undefined) throttled(socket, other, limit);
    else {
      socket.on('data', (bytes) => {
        if (!other.write(bytes)) socket.pause();
      });
      other.on('drain', () => {
        if (state !== 'silent') socket.resume();
      });
    }
    // The other side hears of it by the close that follows.
    socket.on('error', () => {});
    socket.on('end', () => other.end());
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
    if (state === 'silent') socket.pause();
  };
  const server = createServer((near) => {
    if (state === 'hard') {
      near.on('error', () => {});
      near.resetAndDestroy();
      return;
    }
    const far = createConnection({ host: '127.0.0.1', port: target });
    adopt(near, far);
    adopt(far, near, down_bytes_per_second);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  const cutter: Cutter = {
    port: address.port,
    cut(how) {
      state = how;
      for (const socket of [...sockets]) {
        if (how === 'hard') socket.resetAndDestroy();
        else socket.pause();
      }
    },
    mend() {
      state = 'open';
      for (const socket of sockets) socket.resume();
    },
    async cutFor(how, ms) {
      cutter.cut(how);
      await new Promise<void>((resolve) => systemClock.after(ms, resolve));
      cutter.mend();
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of [...sockets]) socket.destroy();
      }),
  };
  return cutter;
};
