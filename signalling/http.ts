import type { Server, WebSocketHandler } from 'bun';
import type { Clock } from '../shared/clock.ts';
import { type ErrorCode, errors, isRefusal } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { type SocketData, socketHandler } from '../shared/socket.ts';
import type { Config } from './config.ts';
import { admit, type Role } from './gate.ts';
import { connections_max, type Signalling } from './server.ts';

/** What `Bun.serve` is given for one port. */
export interface Listener {
  role: Role;
  hostname: string;
  port: number;
  fetch(request: Request, server: Server<SocketData>): Response | undefined;
  websocket: WebSocketHandler<SocketData>;
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

/** The three ports of a signalling server. */
export const listeners = (config: Config, signalling: Signalling, clock: Clock, log: Log): Listener[] => {
  const { options } = config;
  const websocket: WebSocketHandler<SocketData> = {
    ...socketHandler(log, clock),
    maxPayloadLength: options.max_frame_bytes,
  };

  const upgrade = (role: Role, request: Request, server: Server<SocketData>): Response | undefined => {
    const pass = admit(request, role, config, clock.now());
    if (isRefusal(pass)) {
      log.warn({ role, remote: server.requestIP(request)?.address, refused: pass.refused }, 'refused');
      return refused(pass.refused);
    }
    if (signalling.connections() >= connections_max) return refused('shutting_down');
    const upgraded = server.upgrade(request, {
      headers: chosenProtocol(request),
      data: {
        connect: (wire) => signalling.connect(role, pass, wire),
        frame_bytes: options.max_frame_bytes,
        backlog_bytes: limits.browser_backlog_bytes,
        silence_ms: options.keepalive_seconds * 1_000,
      },
    });
    return upgraded ? undefined : refused('malformed');
  };

  const listener = (role: Role, port: number): Listener => ({
    role,
    hostname: options.bind,
    port,
    websocket,
    fetch: (request, server) =>
      wantsWebSocket(request)
        ? upgrade(role, request, server)
        : new Response('This port speaks WebSocket.\n', { status: 426, headers: { upgrade: 'websocket' } }),
  });

  return [
    listener('streamer', options.streamer_port),
    listener('player', options.player_port),
    listener('sfu', options.sfu_port),
  ];
};
