import { type Json, withPatience } from './live.ts';

/** How a streamer of some age behaves, in what a server can see of it. */
interface Ways {
  /** Types that it takes; undefined: what it does not know it only logs. */
  readonly knows?: readonly string[];
  /** What it tells with its id. */
  readonly version?: string;
  /** Makes an offer for each player that is announced. */
  readonly offers: boolean;
  /** Reads and writes player ids as integers. */
  readonly numbers: boolean;
}

const from_427 = [
  'identify',
  'config',
  'offer',
  'answer',
  'iceCandidate',
  'playerCount',
  'playerDisconnected',
  'pong',
];

/** What the plugins do, as far as it has been read. Written apart from the server, which has lists of its own. */
export const ages = {
  '4.27': { knows: from_427, offers: false, numbers: true },
  '5.0': { knows: [...from_427, 'playerConnected'], offers: true, numbers: true },
  '5.4': { offers: true, numbers: false },
  'Pixel Streaming 2': { version: '1.1.0', offers: true, numbers: false },
} as const satisfies Record<string, Ways>;
export type Age = keyof typeof ages;

/** Fields without which a message is malformed, with their kinds. */
const required: Record<string, Record<string, string>> = {
  config: { peerConnectionOptions: 'object' },
  playerConnected: { playerId: 'string' },
  playerDisconnected: { playerId: 'string' },
  offer: { sdp: 'string', playerId: 'string' },
  answer: { sdp: 'string', playerId: 'string' },
  iceCandidate: { candidate: 'object', playerId: 'string' },
};

export interface OldStreamer {
  /** Everything that it was sent, over all of its connections. */
  readonly got: Json[];
  /** Why it closed its socket, each time. */
  readonly closes: { code: number; reason: string }[];
  /** Resolves once that many messages of the type have come. */
  saw(type: string, times?: number): Promise<void>;
  /** Resolves when everything that was sent to it so far has come. */
  settled(): Promise<void>;
  stop(): void;
}

/** A streamer of that age: closes as it did on what it does not know, and comes back. */
export const oldStreamer = async (url: string, id: string, age: Age): Promise<OldStreamer> => {
  const ways: Ways = ages[age];
  const got: Json[] = [];
  const closes: OldStreamer['closes'] = [];
  const looking = new Set<() => void>();
  let socket: WebSocket;
  let stopped = false;
  let pings = 0;

  const send = (message: Json) => socket.send(JSON.stringify(message));
  const named = (playerId: unknown) => (ways.numbers ? Number.parseInt(String(playerId), 10) : playerId);
  const close = (code: number, reason: string) => {
    closes.push({ code, reason });
    socket.close(code, reason);
  };
  const act = (message: Json) => {
    const type = String(message.type);
    for (const [field, kind] of Object.entries(required[type] ?? {})) {
      if (typeof message[field] !== kind) return close(4000, `Malformed ${type}: ${field}`);
    }
    if (ways.knows !== undefined && !ways.knows.includes(type))
      return close(4001, `Unsupported message received: ${type}`);
    const playerId = named(message.playerId);
    if (type === 'identify')
      send({
        type: 'endpointId',
        id,
        ...(ways.version === undefined ? {} : { protocolVersion: ways.version }),
      });
    if (type === 'playerConnected' && ways.offers && message.sendOffer !== false)
      send({ type: 'offer', sdp: `offer of ${age}`, playerId });
    if (type === 'offer') send({ type: 'answer', sdp: `answer to ${message.sdp}`, playerId });
  };
  const connect = () => {
    const opened = new WebSocket(url);
    socket = opened;
    opened.onmessage = ({ data }) => {
      if (opened.readyState !== WebSocket.OPEN) return;
      const message: Json = JSON.parse(String(data));
      got.push(message);
      act(message);
      for (const look of [...looking]) look();
    };
    opened.onclose = () => {
      if (!stopped) setTimeout(connect, 20);
    };
  };
  connect();

  const until = (what: string, holds: () => boolean): Promise<void> =>
    withPatience(
      what,
      new Promise((resolve) => {
        const look = () => {
          if (!holds()) return;
          looking.delete(look);
          resolve();
        };
        looking.add(look);
        look();
      }),
    );
  const count = (type: string) => got.filter((message) => message.type === type).length;
  await until(`${age} is asked who it is`, () => count('config') > 0);
  const streamer: OldStreamer = {
    got,
    closes,
    saw: (type, times = 1) => until(`${age} gets ${type}`, () => count(type) >= times),
    settled() {
      const time = --pings;
      send({ type: 'ping', time });
      return until(`${age} gets its pong`, () => got.some((m) => m.type === 'pong' && m.time === time));
    },
    stop() {
      stopped = true;
      socket.close();
    },
  };
  await streamer.settled();
  return streamer;
};
