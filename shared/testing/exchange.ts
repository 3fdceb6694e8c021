import { connect } from 'node:net';

/**
 * Sends the bytes as they are, as no client library would, and says everything that comes back, up to the server's last
 * byte: the request must make it close, so `Connection: close` is added to one that ends with its headers.
 */
export const exchange = (port: number, request: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(request.replace(/\r\n\r\n$/, '\r\nConnection: close\r\n\r\n')),
    );
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (text) => {
      answer += text;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
