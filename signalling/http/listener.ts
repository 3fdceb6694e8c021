import type { Server, WebSocketHandler } from 'bun';
import { callerAddress } from '../../shared/caller-address.ts';
import type { Clock } from '../../shared/clock.ts';
import { type ErrorCode, errors, isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import type { Log } from '../../shared/log.ts';
import { channel_header_bytes } from '../../shared/protocol/player-channel.ts';
import { requestUrl } from '../../shared/request-url.ts';
import { type SocketData, socketHandler } from '../../shared/socket.ts';
import type { Config, Tls } from '../config.ts';
import { isResumable } from '../kept-players.ts';
import { trustedProxies } from '../options.ts';
import type { PeerServer } from '../peers/server.ts';
import { connections_max, type Signalling } from '../server.ts';
import { admit, type Role } from './gate.ts';
import { createPages } from './pages.ts';

/** What `Bun.serve` is given for one port, and which option chose the port. */
export interface Listener {
  option: 'streamer_port' | 'player_port' | 'sfu_port' | 'https_port' | 'peer_port';
  serve: {
    port: number;
    maxRequestBodySize: number;
    development: false;
    tls?: Tls;
    fetch(request: Request, server: Server<SocketData>): Promise<Response | undefined>;
    error(error: Error): Response;
    websocket: WebSocketHandler<SocketData>;
  };
}

const refused = (code: ErrorCode): Response =>
  new Response(`${errors[code].text}\n`, {
    status: errors[code].http,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
  });

const wantsWebSocket = (request: Request): boolean =>
  request.headers.get('upgrade')?.toLowerCase() === 'websocket';

/** A browser that offers subprotocols drops the connection unless one is chosen; Epic's server takes the first. */
const chosenProtocol = (request: Request): Record<string, string> => {
  const first = request.headers.get('sec-websocket-protocol')?.split(',')[0]?.trim();
  return first === undefined || first === '' ? {} : { 'sec-websocket-protocol': first };
};

/** Where the peer channels are on the player port. On a port of their own the path does not matter. */
const peer_path = /^\/peers\/?$/;

/** Who may want a socket: the roles of Pixel Streaming, and peers, who come in with what lets players in. */
type Caller = Role | 'peer';

/**
 * The ports of a signalling server. With HTTPS, players have their sockets on the HTTPS port only, as at Epic. Without
 * `peers` there are no peer channels.
 */
export const listeners = (
  config: Config,
  signalling: Signalling,
  clock: Clock,
  log: Log,
  peers?: PeerServer,
): Listener[] => {
  const { options, tls } = config;
  if (peers !== undefined) signalling.metrics.watchPeers(peers.connections);
  const pages = createPages(config, signalling, clock);
  const websocket: WebSocketHandler<SocketData> = {
    ...socketHandler(log, clock),
    maxPayloadLength: options.max_frame_bytes + channel_header_bytes,
  };

  const silence = (role: Caller): number =>
    role === 'player' && options.player_keepalive_timeout !== ''
      ? options.player_keepalive_timeout
      : options.keepalive_seconds * 1_000;

  const isFull = (role: Caller, remote: string): boolean =>
    role === 'peer' ? peers?.full(remote) === true : signalling.connections() >= connections_max;

  const upgrade = (port: Caller, request: Request, server: Server<SocketData>): Response | undefined => {
    const url = requestUrl(request);
    if (url === undefined) return refused('malformed');
    const forPeers = port === 'player' && peer_path.test(url.pathname);
    const role = forPeers && peers !== undefined ? 'peer' : port;
    const forwarded = request.headers.get('x-forwarded-for');
    const socket = server.requestIP(request)?.address ?? '';
    const remote = callerAddress(forwarded, socket, trustedProxies(options));
    const refusal = (why: Refusal): Response => {
      log.warn({ role, remote, refused: why.refused }, 'refused');
      signalling.metrics.count('signalling_refused_total', why.refused);
      return refused(why.refused);
    };
    const pass = admit(request, role === 'peer' ? 'player' : role, config, clock.now());
    if (isRefusal(pass)) return refusal(pass);
    if (isFull(role, remote)) return refusal(refuse('servers_busy'));
    const arrival = { ...pass, remote };
    const upgraded = server.upgrade(request, {
      headers: chosenProtocol(request),
      data: {
        connect: (socket) => {
          const wire = { ...socket, remote };
          return role === 'peer' && peers !== undefined
            ? peers.connect(wire, signalling.metrics.count)
            : signalling.connect(role === 'peer' ? 'player' : role, arrival, wire);
        },
        frame_bytes: options.max_frame_bytes + (isResumable(arrival) ? channel_header_bytes : 0),
        backlog_bytes: limits.browser_backlog_bytes,
        silence_ms: silence(role),
      },
    });
    return upgraded ? undefined : refusal(refuse('malformed'));
  };

  /** A port; without a role it takes no sockets. */
  const listener = (option: Listener['option'], role?: Caller, secured?: Tls): Listener => ({
    option,
    serve: {
      port: Number(options[option]),
      maxRequestBodySize: limits.body_bytes,
      development: false,
      websocket,
      ...(secured === undefined ? {} : { tls: secured }),
      fetch: async (request, server) => {
        if (role !== undefined && wantsWebSocket(request)) return upgrade(role, request, server);
        if (role !== undefined && role !== 'player') {
          return new Response('This port speaks WebSocket.\n', {
            status: 426,
            headers: { upgrade: 'websocket' },
          });
        }
        return pages(request, server.requestIP(request)?.address ?? '', secured !== undefined);
      },
      error: (error) => {
        log.error({ error }, 'an HTTP request failed');
        return refused('internal');
      },
    },
  });

  const webServer = options.serve || options.rest_api || options.metrics || options.https_redirect;
  return [
    listener('streamer_port', 'streamer'),
    ...(options.sfu_port === '' ? [] : [listener('sfu_port', 'sfu')]),
    ...(tls === undefined ? [listener('player_port', 'player')] : [listener('https_port', 'player', tls)]),
    ...(tls !== undefined && webServer ? [listener('player_port')] : []),
    ...(options.peer_port !== '' && peers !== undefined ? [listener('peer_port', 'peer', tls)] : []),
  ];
};
