import { type Clock, systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { silentLog } from '../../shared/log.ts';
import { loadConfig } from '../config.ts';
import { listeners } from '../http/listener.ts';
import { createMemoryStore } from '../peers/memory-store.ts';
import { peerQuotas } from '../peers/quotas.ts';
import { createPeerServer, type PeerServer } from '../peers/server.ts';
import type { PeerStore } from '../peers/store.ts';
import { createSignalling } from '../server.ts';

export type Message = Record<string, unknown>;

/** A peer's socket, from the outside. */
export interface TestPeer {
  /** Sends a command, as text or as an object. */
  send(command: string | Message | Uint8Array<ArrayBuffer>): void;
  /** Takes messages until one of that kind comes. */
  until(msg: string): Promise<Message>;
  /** Sends a command and takes its answer: the first message after it that is no event. */
  ask(command: string | Message): Promise<Message>;
  /** Every message that has not been taken yet, up to the answer to one more command. */
  rest(): Promise<Message[]>;
  readonly closed: Promise<{ code: number; reason: string }>;
  close(): void;
}

/** Opens a socket; rejects with the close code when it is not let in. */
export const openPeer = async (url: string): Promise<TestPeer> => {
  const socket = new WebSocket(url);
  const arrived: Message[] = [];
  const waiting: ((message: Message) => void)[] = [];
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data));
    const taker = waiting.shift();
    if (taker === undefined) arrived.push(message);
    else taker(message);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }));
  });
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    closed.then(({ code }) => reject(new Error(`closed with ${code}`)));
  });
  const next = async (): Promise<Message> =>
    arrived.shift() ?? (await new Promise<Message>((resolve) => waiting.push(resolve)));
  const send: TestPeer['send'] = (command) =>
    socket.send(
      typeof command === 'string' || command instanceof Uint8Array ? command : JSON.stringify(command),
    );
  const until = async (wanted: (message: Message) => boolean): Promise<Message> => {
    for (;;) {
      const message = await next();
      if (wanted(message)) return message;
    }
  };
  return {
    send,
    closed,
    until: (msg) => until((message) => message.msg === msg),
    ask(command) {
      send(command);
      return until(({ seq }) => seq === undefined);
    },
    async rest() {
      send({ verb: 'whois', target: 'nobody-at-all', id: 'rest' });
      const found: Message[] = [];
      for (;;) {
        const message = await next();
        if (message.id === 'rest') return found;
        found.push(message);
      }
    },
    close: () => socket.close(),
  };
};

/** A server with peer channels in this process, on free ports. */
export interface PeerHost extends AsyncDisposable {
  readonly server: PeerServer;
  /** On the player port, and on the port of their own. */
  readonly url: string;
  readonly own_url: string;
  /** A peer that is described. */
  peer(name: string): Promise<TestPeer & { secret: string }>;
}

export interface PeerHostOptions {
  store?: PeerStore;
  clock?: Clock;
  args?: string[];
}

export const hostPeers = async (given: PeerHostOptions = {}): Promise<PeerHost> => {
  const { store = createMemoryStore(), clock = systemClock, args = [] } = given;
  const ports = ['player', 'streamer', 'sfu', 'peer'].flatMap((role) => [`--${role}_port`, '0']);
  const loaded = await loadConfig(['--bind', '127.0.0.1', ...ports, ...args], {});
  if (!('config' in loaded)) throw new Error(JSON.stringify(loaded));
  const { config } = loaded;
  const server = createPeerServer({
    ...{ store, clock, ids: systemIds, log: silentLog },
    rate: { per_second: 50, burst: 200 },
    broadcast_tokens: config.broadcast_tokens,
    quotas: peerQuotas(config.options),
  });
  const signalling = createSignalling(config, clock, silentLog);
  const opened = listeners(config, signalling, clock, silentLog, server).map(({ option, serve }) => ({
    option,
    http: Bun.serve({ ...serve, hostname: '127.0.0.1' }),
  }));
  const port = (option: string) => opened.find((each) => each.option === option)?.http.port;
  const url = `ws://127.0.0.1:${port('player_port')}/peers`;
  return {
    server,
    url,
    own_url: `ws://127.0.0.1:${port('peer_port')}/`,
    async peer(name) {
      const peer = await openPeer(url);
      const { secret } = await peer.ask(`/descp ${name}`);
      return { ...peer, secret: String(secret) };
    },
    async [Symbol.asyncDispose]() {
      server.stop();
      signalling.stop();
      await Promise.all(opened.map(({ http }) => http.stop(true)));
    },
  };
};
