import type { Clock } from '../../shared/clock.ts';
import { networkOf } from '../../shared/network.ts';

/** As many as Epic's server allows one address. WebSocket upgrades do not count. */
const requests_per_minute = 3_000;

/** Networks remembered within a minute; a new one beyond them waits for the next. */
const networks_max = 50_000;

/** Says whether an address, of IPv6 its network, may make one more request in this minute. */
export const createLimiter = (clock: Clock) => {
  const used = new Map<string, number>();
  let minute = 0;
  return (address: string): boolean => {
    const now = Math.floor(clock.monotonic() / 60_000);
    if (now !== minute) used.clear();
    minute = now;
    const network = networkOf(address);
    const count = (used.get(network) ?? 0) + 1;
    if (count === 1 && used.size >= networks_max) return false;
    used.set(network, count);
    return count <= requests_per_minute;
  };
};
