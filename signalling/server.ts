import type { Clock } from '../shared/clock.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { PIXEL_STREAMING_VERSION } from '../shared/protocol/pixel-streaming.ts';
import type { Peer, Wire } from '../shared/socket.ts';
import type { Config } from './config.ts';
import { type ConnectionId, type Effect, tell } from './domain/effect.ts';
import { createRegistry, nextConnection, type Origin, type Registry } from './domain/registry.ts';
import type { Pass, Role } from './gate.ts';
import { peerConnectionOptions } from './ice.ts';
import { roles } from './role.ts';

/** Connections of all roles; further ones are refused with 503. */
export const connections_max = 20_000;

/** Epic's pages reconnect by themselves on this code, as after a restart of the server. */
const restart_code = 1012;

export interface Signalling {
  readonly registry: Registry;
  /** How many connections are open. */
  connections(): number;
  /** A socket of that role was opened; the answer takes what arrives on it. */
  connect(role: Role, pass: Pass, wire: Wire): Peer;
  /** Closes every connection. */
  stop(): void;
}

/** The server without its ports: sockets in, decisions carried out. */
export const createSignalling = (config: Config, clock: Clock, log: Log): Signalling => {
  const { options } = config;
  const registry = createRegistry(options);
  const wires = new Map<ConnectionId, Wire>();

  const apply = (effects: Effect[]): void => {
    for (const effect of effects) {
      if ('to' in effect) wires.get(effect.to)?.send(JSON.stringify(effect.message));
      else wires.get(effect.close)?.close(effect.code, effect.reason);
    }
  };

  const greet = (role: Role, pass: Pass, connection: ConnectionId): void => {
    const config_message = {
      type: 'config' as const,
      peerConnectionOptions: peerConnectionOptions(config, pass, connection, clock.now()),
      protocolVersion: PIXEL_STREAMING_VERSION,
    };
    apply([
      ...(roles[role].identify ? [tell(connection, { type: 'identify' })] : []),
      tell(connection, config_message),
    ]);
  };

  const originOf = (connection: ConnectionId, { token, admission }: Pass, { remote }: Wire): Origin => ({
    connection,
    remote,
    ...(token === undefined ? {} : { token }),
    ...(admission?.view_only === true ? { view_only: true } : {}),
  });

  return {
    registry,
    connections: () => wires.size,
    connect(role, pass, wire) {
      const connection = nextConnection(registry);
      const { add, remove, read, rate_factor } = roles[role];
      wires.set(connection, wire);
      add(registry, originOf(connection, pass, wire));
      log.info(
        { role, connection, remote: wire.remote, participant: pass.admission?.participant },
        'connected',
      );
      greet(role, pass, connection);
      const per_second = options.max_messages_per_second * rate_factor;
      const burst = per_second * (limits.messages_burst / limits.messages_per_second);
      return {
        frame: read({
          context: { connection, registry, apply },
          wire,
          clock,
          log: log.child({ role, connection }),
          rate: { per_second, burst },
        }),
        closed(code, reason) {
          wires.delete(connection);
          log.info({ role, connection, close: code, reason }, 'disconnected');
          apply(remove(registry, connection));
        },
      };
    },
    stop() {
      for (const wire of [...wires.values()]) wire.close(restart_code, 'The signalling server is stopping.');
    },
  };
};
