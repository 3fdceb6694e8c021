import type { Clock } from '../../shared/clock.ts';

/** New names that one network may take in a minute: far from all that there are, enough for a company behind one address. */
const names_per_minute = 300;
/** Networks remembered within a minute; a new one beyond them waits for the next. */
const networks_max = 50_000;

/** An IPv4 address as itself, an IPv6 address as its /64, because one subscriber has all of those. */
const networkOf = (address: string): string => {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !address.includes(':')) return mapped ?? address;
  const [head = '', tail = ''] = address.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const missing = Math.max(0, 8 - groups(head).length - groups(tail).length);
  const all = [...groups(head), ...Array<string>(missing).fill('0'), ...groups(tail)];
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16))
    .join(':');
};

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
