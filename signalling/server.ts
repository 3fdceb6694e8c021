import type { Cancel, Clock } from '../shared/clock.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { PIXEL_STREAMING_VERSION, type ServerMessage } from '../shared/protocol/pixel-streaming.ts';
import type { Frame, Peer, Wire } from '../shared/socket.ts';
import type { Config, PeerOptions } from './config.ts';
import { learnRefusal, pagesOffer } from './domain/dialect.ts';
import type { ConnectionId, Effect } from './domain/effect.ts';
import { createRegistry, nextConnection, type Origin, type Registry } from './domain/registry.ts';
import { silent } from './domain/subscription.ts';
import type { Pass, Role } from './http/gate.ts';
import { peerConnectionOptions } from './ice.ts';
import { type Arrival, createKeptPlayers, isResumable } from './kept-players.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { roles } from './role.ts';
import { createTrace } from './trace.ts';

/** Connections of all roles; further ones are refused with 503. */
export const connections_max = 20_000;

/** Pages of 5.0 and 5.1 say nothing before they are offered a stream; all others speak at once. */
const silence_ms = 3_000;

/** Epic's pages reconnect by themselves on this code, as after a restart of the server. */
const restart_code = 1012;
const restart_reason = 'The signalling server is stopping.';

export interface Signalling {
  readonly registry: Registry;
  readonly metrics: Metrics;
  /** How many connections are open. */
  connections(): number;
  /** A socket of that role was opened, perhaps for a player that is there already; the answer takes what arrives on it. */
  connect(role: Role, pass: Arrival, wire: Wire): Peer;
  /** Closes every connection. */
  stop(): void;
}

/** What streamers are told may change while they are connected: an app is started before it is known for whom. */
const withIceServers = (config: Config, iceServers: PeerOptions['iceServers']): Config => ({
  ...config,
  peer_options: { ...config.peer_options, iceServers },
});

const originOf = (connection: ConnectionId, { token, admission, remote }: Arrival): Origin => ({
  connection,
  remote,
  ...(token === undefined ? {} : { token }),
  ...(admission?.view_only === true ? { view_only: true } : {}),
});

/** The server without its ports: sockets in, decisions carried out. */
export const createSignalling = (config: Config, clock: Clock, log: Log): Signalling => {
  const { options } = config;
  const registry = createRegistry(options);
  const metrics = createMetrics();
  const trace = createTrace(options.console_messages, log);
  const wires = new Map<ConnectionId, Wire>();

  const send = (to: ConnectionId, message: ServerMessage): void => {
    const text = JSON.stringify(message);
    trace?.('outgoing', to, text);
    metrics.count('signalling_messages_sent_total', message.type);
    wires.get(to)?.send(text);
  };
  const apply = (effects: Effect[]): void => {
    for (const effect of effects) {
      if ('to' in effect) send(effect.to, effect.message);
      else wires.get(effect.close)?.close(effect.code, effect.reason);
    }
  };

  let current = config;
  const configure = (role: Role, pass: Pass, connection: ConnectionId): void =>
    send(connection, {
      type: 'config',
      peerConnectionOptions: peerConnectionOptions(current, role, pass, connection, clock.now()),
      protocolVersion: PIXEL_STREAMING_VERSION,
      ...(registry.players.get(connection)?.kind === 'Player' && pagesOffer(registry)
        ? { browserSendOffer: true }
        : {}),
    });
  const tellStreamers = ({ admission }: Pass): void => {
    if (admission?.streamer_ice_servers === undefined) return;
    current = withIceServers(config, admission.streamer_ice_servers);
    for (const { kind, connection } of registry.streamers.values())
      if (kind === 'Streamer') configure('streamer', {}, connection);
  };
  const greet = (role: Role, pass: Pass, connection: ConnectionId): void => {
    if (roles[role].identify) send(connection, { type: 'identify' });
    configure(role, pass, connection);
  };

  /** Waits for a page that will never speak; the answer stops waiting. */
  const awaitWord = (role: Role, { offers }: Pass, connection: ConnectionId): Cancel =>
    role === 'player' && options.legacy_auto_subscribe && offers !== true
      ? clock.after(silence_ms, () => apply(silent(registry, connection)))
      : () => {};

  const left = (connection: ConnectionId, code: number, reason: string): void => {
    const streamer = registry.streamers.get(connection)?.id;
    const type = learnRefusal(registry, connection, code, reason);
    if (type !== undefined)
      log.warn(
        { streamer, type },
        'a streamer closed on a message that its engine does not know; it gets none again',
      );
  };

  const reader = (role: Role, connection: ConnectionId, wire: Wire): ((frame: Frame) => void) => {
    const { read, rate_factor } = roles[role];
    const per_second = options.max_messages_per_second * rate_factor;
    const burst = per_second * (limits.messages_burst / limits.messages_per_second);
    return read({
      context: { connection, registry, apply },
      wire,
      clock,
      // A child of the log would cost every idle player some KiB.
      log: {
        warn: (fields, text) => log.warn({ role, connection, ...fields }, text),
        error: (fields, text) => log.error({ role, connection, ...fields }, text),
      },
      rate: { per_second, burst },
      answer: ({ refused }) => metrics.count('signalling_bad_messages_total', refused),
    });
  };

  const enter = (role: Role, arrival: Arrival, wire: Wire): Peer => {
    const connection = nextConnection(registry);
    const { add, remove } = roles[role];
    wires.set(connection, wire);
    add(registry, originOf(connection, arrival));
    const { remote, admission } = arrival;
    log.info({ role, connection, remote, participant: admission?.participant }, 'connected');
    metrics.count('signalling_connections_total', role);
    tellStreamers(arrival);
    greet(role, arrival, connection);
    const heard = awaitWord(role, arrival, connection);
    const read = reader(role, connection, wire);
    return {
      frame(frame) {
        trace?.('incoming', connection, frame);
        read(frame);
      },
      closed(code, reason) {
        heard();
        wires.delete(connection);
        log.info({ role, connection, close: code, reason }, 'disconnected');
        metrics.count('signalling_closes_total', String(code));
        left(connection, code, reason);
        apply(remove(registry, connection));
      },
    };
  };
  const kept = createKeptPlayers(options, (arrival, wire) => enter('player', arrival, wire), clock, log);

  return {
    registry,
    metrics,
    connections: () => wires.size,
    connect(role, arrival, wire) {
      if (arrival.admission?.dismissed !== undefined) kept.dismiss(arrival.admission.dismissed);
      return isResumable(arrival) ? kept.connect(arrival, wire) : enter(role, arrival, wire);
    },
    stop() {
      kept.stop(restart_code, restart_reason);
      for (const wire of [...wires.values()]) wire.close(restart_code, restart_reason);
    },
  };
};
