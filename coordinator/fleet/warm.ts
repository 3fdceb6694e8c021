import { bookingSettings } from '../bookings/settings.ts';
import { bounds } from '../kit/limits.ts';
import { type Capacity, cardOf } from '../seats/rules-capacity.ts';
import type { World } from '../sessions/live.ts';
import type { Booking } from '../store/tables.ts';

interface Wish {
  readonly rc_name: string;
  readonly card: number;
  readonly instances: number;
}

/** One instance for each booking of one host, on the card of its seat, the soonest first. */
const wishesFor = (
  capacity: Capacity,
  booked: readonly Pick<Booking, 'app' | 'seat' | 'starts_at' | 'id'>[],
): Wish[] => {
  const counts = new Map<string, Wish>();
  const soonest = booked.toSorted((a, b) => a.starts_at - b.starts_at || (a.id < b.id ? -1 : 1));
  for (const { app, seat } of soonest) {
    const card = cardOf(capacity, seat)?.index;
    // Beyond the seats that the host has now: its booking moves.
    if (card === undefined) continue;
    const key = JSON.stringify([app, card]);
    const instances = (counts.get(key)?.instances ?? 0) + 1;
    counts.set(key, { rc_name: app, card, instances });
  }
  return [...counts.values()];
};

/** What each host should have started ahead, for the bookings there that open soon. */
const wishesOf = async (world: World): Promise<ReadonlyMap<string, readonly Wish[]>> => {
  const now = world.clock.now();
  const { open_ms, no_show_ms } = bookingSettings(world);
  const soon = await world.db.read(({ bookings }) =>
    bookings.find({
      state: { in: ['held', 'open'] },
      // Its app is started when it opens, or when its seat is free.
      session_id: null,
      starts_at: { from: Math.max(0, now - no_show_ms), to: now + open_ms + bounds.warm_ahead_ms + 1 },
    }),
  );
  const wishes = new Map<string, Wish[]>();
  for (const [host, booked] of Map.groupBy(soon, (booking) => booking.host)) {
    const capacity = world.hosts.get(host)?.capacity;
    if (capacity !== undefined) wishes.set(host, wishesFor(capacity, booked));
  }
  return wishes;
};

/**
 * Tells each host of this coordinator when that changes, and each that has just connected: the wish of a coordinator before
 * may no longer hold.
 */
export const createWarmWishes = (world: World): (() => Promise<void>) => {
  const told = new Map<string, string>();
  return async () => {
    for (const host of [...told.keys()]) if (!world.links.has(host)) told.delete(host);
    if (world.links.size === 0) return;
    const wishes = await wishesOf(world);
    for (const [host, link] of world.links) {
      const apps = wishes.get(host) ?? [];
      const wish = JSON.stringify([link.epoch, apps]);
      if (told.get(host) === wish) continue;
      link.send({ verb: 'WARM', apps: [...apps] });
      told.set(host, wish);
    }
  };
};
