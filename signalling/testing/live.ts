import { type Clock, systemClock } from '../../shared/clock.ts';
import { type Log, silentLog } from '../../shared/log.ts';
import { PIXEL_STREAMING_VERSION } from '../../shared/protocol/pixel-streaming.ts';
import { loadConfig } from '../config.ts';
import { listeners } from '../http/listener.ts';
import { createSignalling, type Signalling } from '../server.ts';

const patience_ms = 30_000;

export type Json = Record<string, unknown>;

/** A client's socket whose messages are taken one by one. */
export interface Client {
  /** The next message as received. Fails when none comes. */
  text(): Promise<string>;
  json(): Promise<Json>;
  /** Takes messages until one of that type comes. */
  until(type: string): Promise<Json>;
  send(message: Json | string | Uint8Array<ArrayBuffer>): void;
  /** Resolves when the socket has closed. */
  readonly closed: Promise<{ code: number; reason: string }>;
  close(): void;
}

export const withPatience = <T>(what: string, promise: Promise<T>): Promise<T> => {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`waited too long for ${what}`)), patience_ms);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

/** Opens a client socket; rejects with the close code when the server does not let it in. */
export const connect = async (url: string, headers: Record<string, string> = {}): Promise<Client> => {
  // Bun's own options: a certificate made for tests is signed by nobody.
  const socket = new WebSocket(url, { headers, tls: { rejectUnauthorized: false } } as unknown as string[]);
  const waiting: ((text: string) => void)[] = [];
  const arrived: string[] = [];
  socket.addEventListener('message', ({ data }) => {
    const taker = waiting.shift();
    if (taker === undefined) arrived.push(data);
    else taker(data);
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }));
  });
  const opened = new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve());
    closed.then(({ code }) => reject(new Error(`closed with ${code}`)));
  });
  await withPatience(`an open socket at ${url}`, opened);
  const over = closed.then(({ code }) => {
    throw new Error(`no message can come any more: closed with ${code}`);
  });
  over.catch(() => undefined);
  const next = () => {
    const text = arrived.shift();
    if (text !== undefined) return Promise.resolve(text);
    return Promise.race([new Promise<string>((resolve) => waiting.push(resolve)), over]);
  };
  const client: Client = {
    text: () => withPatience('a message', next()),
    json: async () => JSON.parse(await client.text()),
    async until(type) {
      for (;;) {
        const message = await client.json();
        if (message.type === type) return message;
      }
    },
    send: (message) =>
      socket.send(
        typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message),
      ),
    closed: withPatience('a close', closed).catch(() => ({ code: -1, reason: 'never closed' })),
    close: () => socket.close(),
  };
  return client;
};

/** A signalling server on free ports in this process, closed by `await using`. */
export interface Live extends AsyncDisposable {
  signalling: Signalling;
  urls: Record<'player' | 'streamer' | 'sfu' | 'http' | 'https', string>;
  player(query?: string): Promise<Client>;
  /** A streamer that has got its id; its greeting has been read. */
  streamer(id: string, query?: string): Promise<Client>;
  sfu(id: string): Promise<Client>;
}

export interface LiveOptions {
  env?: Record<string, string>;
  clock?: Clock;
  log?: Log;
}

export const live = async (args: string[] = [], { env = {}, ...given }: LiveOptions = {}): Promise<Live> => {
  const { clock = systemClock, log = silentLog } = given;
  const ports = ['player', 'streamer', 'sfu'].flatMap((role) => [`--${role}_port`, '0']);
  const loaded = await loadConfig(['--bind', '127.0.0.1', ...ports, ...args], env);
  if (!('config' in loaded)) throw new Error(JSON.stringify(loaded));
  const signalling = createSignalling(loaded.config, clock, log);
  const opened = listeners(loaded.config, signalling, clock, log).map(({ option, serve }) => ({
    option,
    server: Bun.serve({ ...serve, hostname: loaded.config.options.bind }),
  }));
  const url = (scheme: string, option: string) =>
    `${scheme}://127.0.0.1:${opened.find((each) => each.option === option)?.server.port}/`;
  const secure = loaded.config.tls !== undefined;
  const urls = {
    player: secure ? url('wss', 'https_port') : url('ws', 'player_port'),
    streamer: url('ws', 'streamer_port'),
    sfu: url('ws', 'sfu_port'),
    http: url('http', 'player_port'),
    https: url('https', 'https_port'),
  };
  const identified = async (to: string, id: string) => {
    const client = await connect(to);
    await client.until('config');
    client.send({ type: 'endpointId', id, protocolVersion: PIXEL_STREAMING_VERSION });
    await client.until('endpointIdConfirm');
    return client;
  };
  return {
    signalling,
    urls,
    player: async (query = '') => connect(`${urls.player}${query}`),
    streamer: (id, query = '') => identified(`${urls.streamer}${query}`, id),
    sfu: (id) => identified(urls.sfu, id),
    async [Symbol.asyncDispose]() {
      signalling.stop();
      await Promise.all(opened.map(({ server }) => server.stop(true)));
    },
  };
};
