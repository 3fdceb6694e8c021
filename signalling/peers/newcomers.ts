import type { Clock } from '../../shared/clock.ts';
import { networkOf } from '../../shared/network.ts';

/** New names that one network may take in a minute: far from all that there are, enough for a company behind one address. */
const names_per_minute = 300;
/** Networks remembered within a minute; a new one beyond them waits for the next. */
const networks_max = 50_000;

/** How many new names each network has taken in this minute. */
export interface Newcomers {
  /** Takes a place for one more name; false when there is none. */
  take(address: string): boolean;
  /** Gives a place back that was not needed. */
  giveBack(address: string): void;
}

export const createNewcomers = (clock: Clock): Newcomers => {
  const taken = new Map<string, number>();
  let minute = 0;
  return {
    take(address) {
      const now = Math.floor(clock.monotonic() / 60_000);
      if (now !== minute) taken.clear();
      minute = now;
      const network = networkOf(address);
      const count = taken.get(network) ?? 0;
      if (count >= names_per_minute || (count === 0 && taken.size >= networks_max)) return false;
      taken.set(network, count + 1);
      return true;
    },
    giveBack(address) {
      const network = networkOf(address);
      const count = taken.get(network) ?? 0;
      if (count > 1) taken.set(network, count - 1);
      else taken.delete(network);
    },
  };
};
