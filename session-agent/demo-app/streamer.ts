import type { Cancel, Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import { encode, type Handlers, type MessageOf } from '../../shared/protocol/message.ts';
import { fromStreamer, PIXEL_STREAMING_VERSION, toStreamer } from '../../shared/protocol/pixel-streaming.ts';
import { door } from '../../shared/socket.ts';

/** Unreal tries again this soon after its signalling socket is lost, for ever. */
const RECONNECT_MS = 500;
const PING_MS = 30_000;

type FromStreamer = MessageOf<typeof fromStreamer>;
type Rows = Handlers<typeof toStreamer, null>;

/** What the app does about the players; everything else of the protocol is the streamer's own affair. */
export interface Players {
  /** The server confirmed this id: players can find the app from now on. */
  registered(streamerId: string): void;
  connected(playerId: string, peerConnectionOptions: Record<string, unknown>): void;
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

/** Keeps the app registered with its signalling server, as Unreal's plugin does. */
export const startStreamer = (options: StreamerOptions): Streamer => {
  const { players, clock, log } = options;
  let socket: WebSocket | undefined;
  let stopped = false;
  let cancel: Cancel = () => {};
  let stopPings: Cancel = () => {};
  let { streamerId } = options;
  let peerConnectionOptions: Record<string, unknown> = {};

  const send = (message: FromStreamer) => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(encode(fromStreamer, message));
  };

  const register = () =>
    send({ type: 'endpointId', id: streamerId, protocolVersion: PIXEL_STREAMING_VERSION });

  const nothing = () => {};
  const rows: Rows = {
    identify: () => {
      if (!options.neverRegister) register();
    },
    config: (message) => {
      peerConnectionOptions = message.peerConnectionOptions;
    },
    endpointIdConfirm: ({ committedId }) => players.registered(committedId),
    playerConnected: ({ playerId }) => players.connected(playerId, peerConnectionOptions),
    playerDisconnected: ({ playerId }) => players.disconnected(playerId),
    answer: ({ playerId, sdp }) => players.answered(playerId ?? '', sdp),
    iceCandidate: ({ playerId, candidate }) => players.candidate(playerId ?? '', candidate),
    // The stand-in offers by itself, once, one layer, and to no SFU.
    offer: nothing,
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
    opened.onmessage = ({ data }) =>
      receive(data instanceof ArrayBuffer ? new Uint8Array(data) : String(data));
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
