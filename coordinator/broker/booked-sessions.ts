import type { BookingNeeds } from './booking-ticks.ts';
import { sweepExpired } from './booking-ticks.ts';
import { startBooked } from './starts.ts';
import { happen, type World } from './world.ts';

/** What bookings need of the sessions of this coordinator. */
export const bookingNeeds = (world: World): BookingNeeds => ({
  services: world,
  startBooked: (booking) => startBooked(world, booking),
  endBooked: async ({ session_id, state }) => {
    if (session_id === null) return;
    happen(world, session_id, { type: 'end', reason: state === 'missed' ? 'nobody_came' : 'owner_ended' });
  },
  usable: (host) => world.links.has(host),
});

const sweep_ms = 60_000;

/** Removes expired rows once a minute. */
export const createSweep = (world: World): (() => Promise<void>) => {
  let due = world.clock.now() + sweep_ms;
  return async () => {
    if (world.clock.now() < due) return;
    due = world.clock.now() + sweep_ms;
    await sweepExpired(world);
  };
};
