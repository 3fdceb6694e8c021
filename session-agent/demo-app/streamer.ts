import type { Cancel, Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import { encode, type Handlers, type MessageOf } from '../../shared/protocol/message.ts';
import { fromStreamer, PIXEL_STREAMING_VERSION, toStreamer } from '../../shared/protocol/pixel-streaming.ts';
import { door } from '../../shared/socket.ts';
import type { Flags } from './flags.ts';

/** Unreal tries again this soon after its signalling socket is lost, for ever. */
const RECONNECT_MS = 500;
const PING_MS = 30_000;

type FromStreamer = MessageOf<typeof fromStreamer>;
type Rows = Handlers<typeof toStreamer, null>;

/** What the app does about the players; everything else of the protocol is the streamer's own affair. */
export interface Players {
  /** The app has this id: players can find it from now on. */
  registered(streamerId: string): void;
  /** A player has come; with the offer that it made, where the player makes it. */
  connected(playerId: string, peerConnectionOptions: Record<string, unknown>, offered?: string): void;
  disconnected(playerId: string): void;
  answered(playerId: string, sdp: string): void;
  candidate(playerId: string, candidate: Parameters<Rows['iceCandidate']>[0]['candidate']): void;
  /** The signalling socket is gone, and with it all players. */
  lost(): void;
}

export interface StreamerOptions {
  url: string;
  streamerId: string;
  /** Connects but never says who it is: an app that hangs in its start. */
  neverRegister: boolean;
  /** Speaks as the plugin of that engine; undefined: as Pixel Streaming 2. */
  engine?: Flags['engine'];
  players: Players;
  clock: Clock;
  log: Log;
}

export interface Streamer {
  /** Without a socket the message is lost, as its player is. */
  send(message: FromStreamer): void;
  /** Asks for another id, now and at each later connection. */
  rename(streamerId: string): void;
  /** Closes the socket and stops trying. Idempotent. */
  stop(): void;
}

/** What the plugin of 4.27 knows; that of 5.0 knows `playerConnected`, too. Both close their socket on all else. */
const known_427 = ['identify', 'config', 'offer', 'answer', 'iceCandidate', 'playerDisconnected', 'pong'];

/** The type that the engine's plugin would close on. */
const unknownTo = (engine: '4.27' | '5.0', text: string): string | undefined => {
  const { type }: { type: string } = JSON.parse(text);
  const known = known_427.includes(type) || (engine === '5.0' && type === 'playerConnected');
  return known ? undefined : type;
};

/** The old plugins write player ids as integers. */
const spoken = (engine: Flags['engine'], message: FromStreamer): string =>
  engine === undefined || !('playerId' in message)
    ? encode(fromStreamer, message)
    : JSON.stringify({ ...message, playerId: Number(message.playerId) });

/** Keeps the app registered with its signalling server, as Unreal's plugin does. */
export const startStreamer = (options: StreamerOptions): Streamer => {
  const { players, clock, log } = options;
  let socket: WebSocket | undefined;
  let stopped = false;
  let cancel: Cancel = () => {};
  let stopPings: Cancel = () => {};
  let { streamerId } = options;
  let peerConnectionOptions: Record<string, unknown> = {};

  const { engine } = options;
  const send = (message: FromStreamer) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(spoken(engine, message));
  };

  const register = () => {
    const version = engine === undefined ? { protocolVersion: PIXEL_STREAMING_VERSION } : {};
    send({ type: 'endpointId', id: streamerId, ...version });
    // Nobody confirms it to a plugin that does not know the word.
    if (engine !== undefined) players.registered(streamerId);
  };

  const nothing = () => {};
  const rows: Rows = {
    identify: () => {
      if (!options.neverRegister) register();
    },
    config: (message) => {
      peerConnectionOptions = message.peerConnectionOptions;
    },
    endpointIdConfirm: ({ committedId }) => players.registered(committedId),
    playerConnected: ({ playerId, sendOffer }) => {
      if (sendOffer !== false) players.connected(playerId, peerConnectionOptions);
    },
    offer: ({ playerId, sdp }) => players.connected(playerId ?? '', peerConnectionOptions, sdp),
    playerDisconnected: ({ playerId }) => players.disconnected(playerId),
    answer: ({ playerId, sdp }) => players.answered(playerId ?? '', sdp),
    iceCandidate: ({ playerId, candidate }) => players.candidate(playerId ?? '', candidate),
    // The stand-in sends one layer, and nothing to an SFU.
    layerPreference: nothing,
    dataChannelRequest: nothing,
    peerDataChannelsReady: nothing,
    streamerDataChannels: nothing,
    pong: nothing,
  };

  const connect = () => {
    const opened = new WebSocket(options.url);
    socket = opened;
    const receive = door({
      family: toStreamer,
      handlers: rows,
      context: null,
      // Whatever the server says, the plugin keeps its socket: only the server or stop() close it.
      wire: { remote: options.url, send: () => false, backlog: () => 0, close: nothing },
      clock,
      log,
    });
    stopPings = clock.every(PING_MS, () => send({ type: 'ping', time: clock.now() }));
    opened.onmessage = ({ data }) => {
      const unsupported = engine === undefined ? undefined : unknownTo(engine, String(data));
      if (unsupported !== undefined) opened.close(4001, `Unsupported message received: ${unsupported}`);
      else receive(data instanceof ArrayBuffer ? new Uint8Array(data) : String(data));
    };
    opened.onclose = ({ code, reason }) => {
      stopPings();
      if (stopped || socket !== opened) return;
      socket = undefined;
      log.info({ close: code, reason }, 'signalling lost');
      players.lost();
      cancel = clock.after(RECONNECT_MS, connect);
    };
  };
  connect();

  return {
    send,
    rename(wanted) {
      streamerId = wanted;
      register();
    },
    stop() {
      if (stopped) return;
      stopped = true;
      cancel();
      stopPings();
      socket?.close();
    },
  };
};
