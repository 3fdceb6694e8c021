import type { Family, Handlers } from '../shared/protocol/message.ts';
import { fromPlayer, fromSfu, fromStreamer } from '../shared/protocol/pixel-streaming.ts';
import { type DoorOptions, door, type Frame } from '../shared/socket.ts';
import type { Effect } from './domain/effect.ts';
import { addPlayer, removePlayer } from './domain/player.ts';
import type { Origin, Registry } from './domain/registry.ts';
import { addSfu, removeSfu } from './domain/sfu.ts';
import { addStreamer, removeStreamer } from './domain/streamer.ts';
import type { Context } from './handlers/context.ts';
import { playerHandlers } from './handlers/player.ts';
import { sfuHandlers } from './handlers/sfu.ts';
import { streamerHandlers } from './handlers/streamer.ts';
import type { Role } from './http/gate.ts';

type Reader = (options: Omit<DoorOptions<Family, Context>, 'family' | 'handlers'>) => (frame: Frame) => void;

/** What distinguishes the three roles: their messages, and how they enter and leave the registry. */
interface RoleRow {
  /** Asks who it is before anything else. */
  identify: boolean;
  /** Messages for each one that a player may send. */
  rate_factor: number;
  add(registry: Registry, origin: Origin): void;
  remove(registry: Registry, connection: string): Effect[];
  read: Reader;
}

const reader =
  <F extends Family>(family: F, handlers: Handlers<F, Context>): Reader =>
  (options) =>
    door({ family, handlers, ...options });

export const roles: Record<Role, RoleRow> = {
  player: {
    identify: false,
    rate_factor: 1,
    add: (registry, origin) => addPlayer(registry, origin, 'Player'),
    remove: removePlayer,
    read: reader(fromPlayer, playerHandlers),
  },
  streamer: {
    identify: true,
    rate_factor: 100,
    add: (registry, origin) => addStreamer(registry, origin, 'Streamer'),
    remove: removeStreamer,
    read: reader(fromStreamer, streamerHandlers),
  },
  sfu: {
    identify: true,
    rate_factor: 100,
    add: addSfu,
    remove: removeSfu,
    read: reader(fromSfu, sfuHandlers),
  },
};
