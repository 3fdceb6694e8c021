import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { attributes, errorOf, isSuccess, mixAddress, mixedAddress, requests } from '../../shared/stun.ts';
import { streamStun } from '../../shared/stun-sockets.ts';
import { allocateRelay } from '../../shared/turn-client.ts';
import { until } from '../e2e/harness.ts';

/**
 * `bun visitor.ts ASKED`: what somebody behind a router gets through a proxy, as one line of JSON. It runs as a program, as
 * only a program can be at another place of the network.
 */
export interface Asked {
  host: string;
  ca_file: string;
  app: string;
  /** An administrator. */
  email: string;
  password: string;
  /** WebSockets that are opened, one after the other, until one is refused. */
  sockets: number;
  /** The name of TURN over TLS on port 443; undefined where there is none. */
  turn_host: string | undefined;
}

export interface Found {
  /** What plain HTTP leads to. */
  redirect: string | null;
  /** Answers to a picture of 2 MiB, to /metrics, and to /healthz. */
  status: Record<'picture' | 'metrics' | 'healthz', number>;
  /** Messages that the page of a session got, until the app's offer. */
  signalling: string[];
  /** How many WebSockets were opened. */
  sockets: number;
  /** What TURN gives over TCP and TLS, and what it says to peers. */
  relays: Record<string, string>;
  peers: Record<string, number>;
}

// biome-ignore lint/suspicious/noExplicitAny: an answer is looked at field by field
type Json = any;

const asked: Asked = JSON.parse(process.argv[2] ?? '');
const ca = readFileSync(asked.ca_file, 'utf8');
const tls = { ca };
/** What somebody writes who wants to be somebody else. */
const forged = () => ({
  'x-forwarded-for': `198.51.100.${Math.floor(Math.random() * 250)}`,
  forwarded: 'for=198.51.100.1',
  'x-real-ip': '198.51.100.2',
});

const fetchThere = (path: string, init: RequestInit = {}) =>
  fetch(`https://${asked.host}${path}`, {
    ...init,
    headers: { ...forged(), ...init.headers },
    redirect: 'manual',
    tls,
  });

const api = async (method: string, path: string, body?: unknown, token?: string): Promise<Json> => {
  const response = await fetchThere(`/api/v1${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
};

/** Sends a picture of so many bytes for the app; the status of the answer. */
const sendPicture = async (bytes: number, token: string): Promise<number> => {
  const picture = Buffer.alloc(bytes, 1);
  picture.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const path = `/catalogue/apps/${asked.app}`;
  const { version } = await api('GET', path, undefined, token);
  const response = await fetchThere(`/api/v1${path}/picture`, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'image/png',
      'if-match': `"${version}"`,
    },
    body: picture,
  });
  await response.arrayBuffer();
  return response.status;
};

const openSocket = (url: string): Promise<WebSocket | undefined> => {
  const socket = new WebSocket(url, { headers: forged(), tls } as unknown as string[]);
  return new Promise((done) => {
    socket.onopen = () => done(socket);
    socket.onerror = () => done(undefined);
  });
};

const closed = (socket: WebSocket): Promise<void> =>
  new Promise((done) => {
    socket.onclose = () => done();
    socket.close();
  });

const countSockets = async (most: number): Promise<number> => {
  const open: WebSocket[] = [];
  while (open.length < most) {
    const socket = await openSocket(`wss://${asked.host}/ws`);
    if (socket === undefined) break;
    open.push(socket);
  }
  await Promise.all(open.map(closed));
  return open.length;
};

/** Starts a session, connects to its signalling as a page does, and ends it when the app has made its offer. */
const playSession = async (): Promise<{ types: string[]; ice_servers: Json[] }> => {
  const { session, participant_token: token } = await api('POST', '/sessions', { app: asked.app });
  const path = `/sessions/${session.id}`;
  await until(
    'the session is ready',
    () => api('GET', path, undefined, token),
    ({ phase }) => phase === 'ready',
  );
  const { signalling_url } = await api('POST', `${path}/tickets`, undefined, token);
  const socket = await openSocket(signalling_url);
  if (socket === undefined) throw new Error(`no socket to ${signalling_url}`);
  const messages: Json[] = [];
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(String(data));
    messages.push(message);
    if (message.type === 'config') socket.send('{"type":"listStreamers"}');
    const [streamerId] = message.type === 'streamerList' ? message.ids : [];
    if (streamerId !== undefined) socket.send(JSON.stringify({ type: 'subscribe', streamerId }));
  };
  const types = await until(
    'the app makes an offer',
    () => messages.map(({ type }) => type),
    (seen) => seen.includes('offer'),
  );
  await closed(socket);
  await api('DELETE', path, undefined, token);
  const config = messages.find(({ type }) => type === 'config');
  return { types, ice_servers: config?.peerConnectionOptions?.iceServers ?? [] };
};

const connected = (socket: Socket, event: string): Promise<Socket> =>
  new Promise((done, failed) => {
    socket.once(event, () => done(socket));
    socket.once('error', failed);
  });

const refused_peers = ['127.0.0.1', '0.0.0.0', '10.77.0.2', '169.254.169.254', '0:0:0:0:0:0:0:1'];
const public_peer = '203.0.113.30';

/** Relays over both ways through port 443, with the credential that the page was given. */
const useTurn = async (turn_host: string, ice_servers: Json[]) => {
  const found: Pick<Found, 'relays' | 'peers'> = { relays: {}, peers: {} };
  const given = ice_servers.find(({ username }) => username !== undefined);
  const credential = { username: given.username, password: given.credential };
  const [tcp, secure] = await Promise.all([
    connected(connect({ host: asked.host, port: 443 }), 'connect'),
    connected(connectTls({ host: turn_host, port: 443, servername: turn_host, ca }), 'secureConnect'),
  ]);
  for (const [name, socket] of Object.entries({ tcp, tls: secure })) {
    const stun = streamStun(socket, { clock: systemClock, ids: systemIds, patience_ms: 60_000 });
    const bound = await stun.ask(requests.binding, []);
    const relay = await allocateRelay(stun.ask, credential);
    if ('error' in relay) throw new Error(`${name}: ${relay.error} ${relay.text}`);
    found.relays[name] =
      `${relay.relayed.address} for ${mixedAddress(bound, attributes.xor_mapped_address)?.address}`;
    for (const address of [...refused_peers, public_peer]) {
      const answer = await relay.ask(requests.create_permission, (transaction) => [
        [attributes.xor_peer_address, mixAddress({ address, port: 9 }, transaction)],
      ]);
      const code = isSuccess(answer, requests.create_permission) ? 0 : (errorOf(answer)?.code ?? -1);
      found.peers[`${name} ${address}`] = code;
    }
    stun.close();
  }
  return found;
};

const plain = await fetch(`http://${asked.host}/i/an-invite`, { redirect: 'manual', headers: forged() });
const { email, password } = asked;
const { access_token } = await api('POST', '/login', { email, password });
const status = {
  picture: await sendPicture(2 * 1024 * 1024, access_token),
  metrics: (await fetchThere('/metrics')).status,
  healthz: (await fetchThere('/healthz?code=a-code')).status,
};
const { types, ice_servers } = await playSession();
const sockets = await countSockets(asked.sockets);
const turn =
  asked.turn_host === undefined ? { relays: {}, peers: {} } : await useTurn(asked.turn_host, ice_servers);
const found: Found = { redirect: plain.headers.get('location'), status, signalling: types, sockets, ...turn };
process.stdout.write(`${JSON.stringify(found)}\n`);
