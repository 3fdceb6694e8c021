import type { Socket } from 'node:net';
import type { Clock } from '../../shared/clock.ts';
import { readText } from '../../shared/text-file.ts';
import type { AgentConfig } from '../config.ts';
import { proxyFor } from '../domain/proxy.ts';
import { fail, type Line, ok, skip, warn } from './line.ts';
import { addressesOf, connectTcp, faultOf, secure, tunnel } from './reach.ts';

const DNS_MS = 4_000;
const TCP_MS = 4_000;
const TLS_MS = 4_000;
const DAY_MS = 86_400_000;
const EXPIRES_SOON_MS = 14 * DAY_MS;

/** What leads to the coordinator. */
export interface Way {
  url: URL;
  host: string;
  port: number;
  encrypted: boolean;
  proxy: URL | undefined;
  /** PEM, when config.json pins an authority. */
  ca: string | undefined;
}

/** Brackets belong to URLs, not to addresses. */
const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, '');

const portOf = ({ port, protocol }: URL): number =>
  port === '' ? (['wss:', 'https:'].includes(protocol) ? 443 : 80) : Number(port);

/** Reads the pinned authority; a refusal is a line. */
export const wayTo = async (
  { coordinator, ca_file }: Pick<AgentConfig, 'coordinator' | 'ca_file'>,
  environment: Record<string, string | undefined>,
): Promise<Way | Line> => {
  const url = new URL(coordinator);
  const way = {
    url,
    host: hostOf(url),
    port: portOf(url),
    encrypted: url.protocol === 'wss:',
    proxy: URL.parse(proxyFor(coordinator, environment) ?? '') ?? undefined,
  };
  if (ca_file === undefined) return { ...way, ca: undefined };
  try {
    const ca = await readText(ca_file);
    if (ca.includes('-----BEGIN CERTIFICATE-----')) return { ...way, ca };
    return fail('TLS', `${ca_file} holds no certificate`, 'Put the PEM of your authority there.');
  } catch (error) {
    return fail('TLS', `ca_file cannot be read: ${String(error)}`, 'Put the PEM of your authority there.');
  }
};

/** "through the proxy p:3128 (HTTPS_PROXY)"; nothing of its credentials. */
const proxyText = ({ proxy, encrypted }: Way): string =>
  proxy === undefined
    ? ''
    : ` through the proxy ${hostOf(proxy)}:${portOf(proxy)} (${encrypted ? 'HTTPS_PROXY' : 'HTTP_PROXY'})`;

const dns = async (clock: Clock, way: Way): Promise<Line> => {
  const host = way.proxy === undefined ? way.host : hostOf(way.proxy);
  const whose = way.proxy === undefined ? '' : 'the proxy ';
  try {
    const addresses = await addressesOf(clock, DNS_MS, host);
    const found = addresses[0] === host ? `${host} is an address` : `${host} is ${addresses.join(', ')}`;
    return ok('DNS', `${whose}${found}`);
  } catch (error) {
    return fail(
      'DNS',
      `${whose}${host}: ${faultOf(error)}`,
      `Compare ${way.proxy === undefined ? '"coordinator" in config.json' : 'the proxy variable'} with the right name, and look at this machine's DNS servers.`,
    );
  }
};

const tcp = async (clock: Clock, way: Way): Promise<{ line: Line; socket?: Socket }> => {
  const target = `${way.url.hostname}:${way.port}`;
  const { proxy } = way;
  const [host, port] = proxy === undefined ? [way.host, way.port] : [hostOf(proxy), portOf(proxy)];
  let socket: Socket | undefined;
  try {
    socket = await connectTcp(clock, TCP_MS, host, port);
    // A proxy that is itself reached over TLS is left to the request that follows.
    if (proxy?.protocol === 'http:') await tunnel(clock, TCP_MS, socket, proxy, target);
    return { line: ok('TCP', `${target} answers${proxyText(way)}`), socket };
  } catch (error) {
    socket?.destroy();
    const advice =
      proxy === undefined
        ? `Open outgoing TCP ${port} to ${way.host} in the firewalls on the way, or set HTTPS_PROXY. If other hosts fail too, look whether the coordinator runs.`
        : `Look at the proxy, let it lead to ${target}, or name ${way.host} in NO_PROXY.`;
    return { line: fail('TCP', `${target}${proxyText(way)}: ${faultOf(error)}`, advice) };
  }
};

const isLocal = (host: string): boolean => ['localhost', '127.0.0.1', '::1'].includes(host);

const certificateLine = (
  way: Way,
  { fault, issuer, expires_at }: { fault: string | undefined; issuer: string; expires_at: number },
  now: number,
): Line => {
  const until = new Date(expires_at).toISOString().slice(0, 10);
  if (expires_at <= now) {
    return fail('TLS', `the certificate expired on ${until}`, "Renew it, or set this machine's clock.");
  }
  if (fault !== undefined) {
    const advice = /ALTNAME/.test(fault)
      ? `Write the name in config.json for which the certificate was made, or make one for ${way.host}.`
      : way.ca === undefined
        ? 'With an authority of your own, name its PEM file as "ca_file" in config.json; otherwise something on the way opens the connection.'
        : 'The certificate is not of the authority in ca_file: compare them.';
    return fail('TLS', `the certificate (by ${issuer}) is not trusted: ${fault}`, advice);
  }
  const found = `a good certificate by ${issuer}${way.ca === undefined ? '' : ' (ca_file)'}, until ${until}`;
  return expires_at - now < EXPIRES_SOON_MS
    ? warn('TLS', found, 'Look why it is not renewed by itself.')
    : ok('TLS', found);
};

const tls = async (clock: Clock, way: Way, socket: Socket): Promise<Line> => {
  if (!way.encrypted) {
    return isLocal(way.host)
      ? ok('TLS', 'not used, and not needed on one machine')
      : warn('TLS', 'not used: the key travels unencrypted', 'Use https:// in config.json.');
  }
  if (way.proxy?.protocol === 'https:') return skip('TLS', 'not tried inside the TLS of the proxy');
  try {
    const secured = await secure(clock, TLS_MS, socket, way.host, way.ca);
    secured.socket.destroy();
    return certificateLine(way, secured, clock.now());
  } catch (error) {
    const advice = `Look what listens on port ${way.port}: it does not speak TLS as it should.`;
    return fail('TLS', `no handshake: ${faultOf(error)}`, advice);
  }
};

/** The hops up to the coordinator's door, in order; the first that fails is the last. */
export const checkWay = async (clock: Clock, way: Way): Promise<Line[]> => {
  const name = await dns(clock, way);
  if (name.state === 'fail') return [name];
  const { line, socket } = await tcp(clock, way);
  if (socket === undefined) return [name, line];
  const secured = await tls(clock, way, socket);
  socket.destroy();
  return [name, line, secured];
};
