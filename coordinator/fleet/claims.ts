import { isElsewhere } from '../catalogue/elsewhere.ts';
import { capacityText } from '../seats/hosts.ts';
import type { Capacity } from '../seats/rules-capacity.ts';
import type { World } from '../sessions/live.ts';
import { sessionOf } from '../sessions/rows.ts';
import { stopClocks } from '../sessions/rules-participants.ts';
import type { Session } from '../sessions/rules-session.ts';

/** A stored session as it is in a coordinator that has just heard of it: nobody is connected, its host has yet to come. */
export const takenUp = (session: Session): Session => ({
  ...session,
  reachable: false,
  tickets: [],
  participants: stopClocks(session.participants.map((one) => ({ ...one, channels: 0, streams: 0 }))),
});

/**
 * Makes a host that connects this coordinator's, stores its seats and cards, for which bookings are made while it is
 * away, and brings its sessions into memory if another coordinator had them. Rejects with Unavailable.
 */
export const claimHost = async (
  world: World,
  name: string,
  seats: number,
  known: Capacity,
): Promise<void> => {
  const { coordinator_name } = world.store.configuration();
  const capacity = capacityText(known);
  const rows = await world.db.transact(async (tables) => {
    const host = await tables.hosts.lock({ name });
    if (host === undefined) return [];
    const mine = host.held_by === coordinator_name;
    if (!mine || host.seats !== seats || host.capacity !== capacity) {
      await tables.hosts.update({ name }, { held_by: coordinator_name, seats, capacity });
    }
    return mine ? [] : tables.sessions.find({ host: name });
  });
  for (const row of rows) {
    const session = sessionOf(row);
    if (session === undefined) world.log.error({ session: row.id }, 'the stored session cannot be read');
    else if (!world.sessions.has(session.id)) world.sessions.set(session.id, takenUp(session));
  }
};

/** Forgets hosts that have connected to another coordinator since, and their sessions: they live there now. */
export const letGo = (world: World): void => {
  for (const { name } of [...world.hosts.values()]) {
    if (world.links.has(name) || !isElsewhere(world, world.catalogue.hosts.get(name))) continue;
    world.hosts.delete(name);
    for (const { id, host } of [...world.sessions.values()]) if (host === name) world.sessions.delete(id);
    world.log.info({ host: name }, 'the host has gone to another coordinator');
  }
};
