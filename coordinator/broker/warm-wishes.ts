import { bounds } from '../limits.ts';
import { rulesFor } from './booking-rules.ts';
import type { World } from './world.ts';

interface Wish {
  readonly rc_name: string;
  readonly instances: number;
}

/** How many instances of each app each host should have started ahead: one for each booking there that opens soon. */
const wishesOf = async (world: World): Promise<ReadonlyMap<string, readonly Wish[]>> => {
  const now = world.clock.now();
  const { open_ms, no_show_ms } = rulesFor(world);
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
    const apps = [...Map.groupBy(booked, ({ app }) => app)].sort(([a], [b]) => (a < b ? -1 : 1));
    wishes.set(
      host,
      apps.map(([rc_name, { length }]) => ({ rc_name, instances: length })),
    );
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
