import { createConnection, createServer, type Socket } from 'node:net';

/** A TCP load balancer: each connection goes to the first of its targets that takes it. */
export interface Balancer {
  readonly port: number;
  /** Sends new connections to these. */
  route(targets: readonly number[]): void;
  /** Ends all connections. */
  reset(): void;
  stop(): Promise<void>;
}

/** Connects to the first port of 127.0.0.1 that answers; undefined when none does. */
const firstOf = async (ports: readonly number[]): Promise<Socket | undefined> => {
  for (const port of ports) {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const socket = createConnection({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    if (await promise) return socket;
  }
  return undefined;
};

/** Forwards 127.0.0.1:`port` of its own to the targets, the first one first. */
export const startBalancer = async (first: readonly number[]): Promise<Balancer> => {
  let targets = first;
  const sockets = new Set<Socket>();
  const adopt = (socket: Socket, other: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {}); // its close follows
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
    socket.pipe(other);
  };
  const reset = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer({ pauseOnConnect: true }, async (near) => {
    const far = await firstOf(targets);
    if (far === undefined) return near.destroy();
    adopt(near, far);
    adopt(far, near);
    near.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' ? (address?.port ?? 0) : 0,
    route(others) {
      targets = others;
    },
    reset,
    async stop() {
      reset();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
};
