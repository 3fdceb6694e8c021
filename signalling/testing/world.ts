import { PIXEL_STREAMING_VERSION } from '../../shared/protocol/pixel-streaming.ts';
import type { ConnectionId, Effect } from '../domain/effect.ts';
import { addPlayer } from '../domain/player.ts';
import {
  createRegistry,
  nextConnection,
  type Origin,
  type Registry,
  type Rules,
} from '../domain/registry.ts';
import { addSfu } from '../domain/sfu.ts';
import { addStreamer, identify } from '../domain/streamer.ts';
import { subscribe } from '../domain/subscription.ts';

/** A registry with short ways to fill it, for tests of decisions. */
export interface World {
  registry: Registry;
  /** An identified streamer, unless `id` is left out; of Pixel Streaming 2, unless `version` is ''. */
  streamer(id?: string, token?: string, version?: string): ConnectionId;
  /** A player, subscribed if a streamer id is given. */
  player(streamer?: string, extra?: Partial<Origin>): ConnectionId;
  /** An identified SFU, subscribed if a streamer id is given. */
  sfu(id: string, upstream?: string): ConnectionId;
}

export const world = (rules: Partial<Rules> = {}): World => {
  const registry = createRegistry({ max_players: 0, legacy_auto_subscribe: false, ...rules });
  const origin = (): Origin => ({ connection: nextConnection(registry), remote: '192.0.2.1' });
  return {
    registry,
    streamer(id, token, version = PIXEL_STREAMING_VERSION) {
      const from = token === undefined ? origin() : { ...origin(), token };
      addStreamer(registry, from, 'Streamer');
      if (id !== undefined) identify(registry, from.connection, id, version);
      return from.connection;
    },
    player(streamer, extra = {}) {
      const from = { ...origin(), ...extra };
      addPlayer(registry, from, 'Player');
      if (streamer !== undefined) subscribe(registry, from.connection, streamer);
      return from.connection;
    },
    sfu(id, upstream) {
      const from = origin();
      addSfu(registry, from);
      identify(registry, from.connection, id);
      if (upstream !== undefined) subscribe(registry, from.connection, upstream);
      return from.connection;
    },
  };
};

/** Effects as short lines: `2 < offer {"sdp":"x"}` for a message to 2, `2 closed 1011 bye` for a close. */
export const lines = (effects: Effect[]): string[] =>
  effects.map((effect) => {
    if ('close' in effect) return `${effect.close} closed ${effect.code} ${effect.reason}`.trim();
    const { type, ...rest } = effect.message;
    const fields = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`;
    return `${effect.to} < ${type}${fields}`;
  });
