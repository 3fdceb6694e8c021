import type { Options } from '../options.ts';
import type { Rate } from './rates.ts';

/** What each network has a share of within a time. */
export type PeerRate = 'names' | 'joins' | 'wrong_tokens' | 'commands';

/** What one network (an IPv4 address, an IPv6 /64) may do in the peer channels. */
export interface PeerQuotas {
  /** Names that it may hold, and connections. */
  readonly names: number;
  /** Channels that its peers may have made. */
  readonly channels: number;
  readonly rates: Readonly<Record<PeerRate, Rate>>;
}

type QuotaOptions = Pick<
  Options,
  | 'peer_names_per_network'
  | 'peer_channels_per_network'
  | 'peer_new_names_per_minute'
  | 'peer_joins_per_minute'
  | 'peer_wrong_tokens_per_minute'
  | 'peer_commands_per_second'
>;

/** Commands come in bursts, when many pages connect at once for example. */
const burst_seconds = 10;

export const peerQuotas = (options: QuotaOptions): PeerQuotas => {
  const perMinute = (most: number): Rate => ({ most, window_ms: 60_000 });
  return {
    names: options.peer_names_per_network,
    channels: options.peer_channels_per_network,
    rates: {
      names: perMinute(options.peer_new_names_per_minute),
      joins: perMinute(options.peer_joins_per_minute),
      wrong_tokens: perMinute(options.peer_wrong_tokens_per_minute),
      commands: {
        most: options.peer_commands_per_second * burst_seconds,
        window_ms: burst_seconds * 1_000,
      },
    },
  };
};
