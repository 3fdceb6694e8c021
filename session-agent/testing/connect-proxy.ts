import { createConnection, createServer, type Socket } from 'node:net';

/** An HTTP proxy that knows CONNECT only, and takes every name for this machine. */
export interface ConnectProxy {
  url: string;
  /** Heads of the requests that came. */
  requests: string[];
  stop(): Promise<void>;
}

export const startConnectProxy = async (): Promise<ConnectProxy> => {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const adopt = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    adopt(near);
    near.once('data', (bytes) => {
      const head = bytes.toString();
      requests.push(head);
      const port = /^CONNECT [^ ]*:(\d+) HTTP\/1\.1\r\n/.exec(head)?.[1];
      if (port === undefined) return near.end('HTTP/1.1 405 Method Not Allowed\r\n\r\n');
      const far = createConnection({ host: '127.0.0.1', port: Number(port) }, () => {
        near.write('HTTP/1.1 200 Connection established\r\n\r\n');
        near.pipe(far);
        far.pipe(near);
      });
      adopt(far);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://agent:secret@127.0.0.1:${address.port}`,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
};
