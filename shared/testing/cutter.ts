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

/** Forwards 127.0.0.1:`port` of its own to 127.0.0.1:`target`. */
export const startCutter = async (target: number): Promise<Cutter> => {
  const sockets = new Set<Socket>();
  let state: 'open' | 'hard' | 'silent' = 'open';

  const adopt = (socket: Socket, other: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('data', (bytes) => {
      if (!other.write(bytes)) socket.pause();
    });
    other.on('drain', () => {
      if (state !== 'silent') socket.resume();
    });
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
    adopt(far, near);
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
