import type { BookingNeeds } from './booking-ticks.ts';
import { isElsewhere } from './elsewhere.ts';
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
  elsewhere: (host) => isElsewhere(world, world.catalogue.hosts.get(host)),
  usable: (host) => world.links.has(host),
});
