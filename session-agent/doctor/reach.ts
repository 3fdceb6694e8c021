import { lookup } from 'node:dns/promises';
import { isIP, connect as netConnect, type Socket } from 'node:net';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { Clock } from '../../shared/clock.ts';

const codes: Record<string, string> = {
  ENOTFOUND: 'the name does not exist',
  EAI_AGAIN: 'no DNS server answers',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  EHOSTUNREACH: 'there is no way to that machine',
  ENETUNREACH: 'there is no network',
  EACCES: 'a local firewall forbids it',
  EPERM: 'a local firewall forbids it',
};

/** What went wrong on the network, in words. */
export const faultOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return codes[code] ?? (error.message === '' ? code : error.message);
};

/** What `start` comes to within `ms`; after that it is told to give up, and the promise rejects. */
export const timed = async <T>(
  clock: Clock,
  ms: number,
  start: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const control = new AbortController();
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(ms, () => {
    late.reject(new Error(`no answer within ${ms / 1_000} s`));
    control.abort();
  });
  try {
    return await Promise.race([start(control.signal), late.promise]);
  } finally {
    cancel();
  }
};

/** The addresses of a name, IPv4 first; an address is its own. */
export const addressesOf = async (clock: Clock, ms: number, host: string): Promise<string[]> => {
  if (isIP(host) !== 0) return [host];
  const found = await timed(clock, ms, () => lookup(host, { all: true }));
  return found.toSorted((a, b) => a.family - b.family).map(({ address }) => address);
};

/** Resolves when `event` comes and rejects on an error or the end; later errors are nobody's news. */
const once = (socket: Socket, event: string, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once(event, resolve);
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('the other side hung up')));
    signal.addEventListener('abort', () => socket.destroy());
  });

/** A TCP connection. */
export const connectTcp = (clock: Clock, ms: number, host: string, port: number): Promise<Socket> =>
  timed(clock, ms, async (signal) => {
    const socket = netConnect({ host, port });
    await once(socket, 'connect', signal);
    return socket;
  });

const proxy_answer_bytes = 16 * 1_024;

/** Asks an HTTP proxy to lead on to `target` ("host:port"). Rejects with what the proxy says. */
export const tunnel = (clock: Clock, ms: number, socket: Socket, proxy: URL, target: string): Promise<void> =>
  timed(clock, ms, async () => {
    const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
    const identity =
      proxy.username === '' ? '' : `Proxy-Authorization: Basic ${Buffer.from(user).toString('base64')}\r\n`;
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${identity}\r\n`);
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const take = (bytes: Buffer) => {
        text += bytes.toString('latin1');
        if (!text.includes('\r\n\r\n') && text.length < proxy_answer_bytes) return;
        socket.off('data', take);
        resolve(text);
      };
      socket.on('data', take);
      socket.once('close', () => reject(new Error('the proxy hung up')));
    });
    const [, status = ''] = /^HTTP\/1\.\d (\d{3})/.exec(answer) ?? [];
    if (status === '407') throw new Error('the proxy wants other credentials (407)');
    if (!status.startsWith('2')) throw new Error(`the proxy refuses (${status || 'no HTTP'})`);
  });

export interface Secured {
  socket: TLSSocket;
  /** Why nobody should trust the certificate; undefined when it is good. */
  fault: string | undefined;
  issuer: string;
  /** Epoch ms. */
  expires_at: number;
}

/** TLS on a connected socket. A bad certificate is told about, not refused: nothing is sent over it here. */
export const secure = (
  clock: Clock,
  ms: number,
  socket: Socket,
  host: string,
  ca: string | string[] | undefined,
): Promise<Secured> =>
  timed(clock, ms, async (signal) => {
    const secured = tlsConnect({
      socket,
      host,
      rejectUnauthorized: false,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(ca === undefined ? {} : { ca }),
    });
    await once(secured, 'secureConnect', signal);
    const { valid_to, issuer } = secured.getPeerCertificate();
    return {
      socket: secured,
      fault: secured.authorized ? undefined : String(secured.authorizationError ?? 'not trusted'),
      issuer: [issuer?.O ?? issuer?.CN ?? 'unknown'].flat().join(', '),
      expires_at: Date.parse(valid_to),
    };
  });
