import type { Lease } from '../kit/lease.ts';
import { storedCapacity } from '../seats/hosts.ts';
import { hostAway, hostExpected } from '../seats/rules-hosts.ts';
import type { World } from '../sessions/live.ts';
import { sessionSettings } from '../sessions/settings.ts';
import type { HostRow } from '../store/tables.ts';
import { takeOver } from './claims.ts';

/** Takes the host over, if it is still the dead one's, as one that is away: it comes here, or elsewhere, or is lost. */
const adopt = async (world: World, { name }: HostRow, dead: string): Promise<void> => {
  const taken = await takeOver(world, name, (row) => (row.held_by === dead ? {} : undefined));
  if (taken === undefined) return;
  world.catalogue.putHost(taken);
  if (!world.hosts.has(name)) {
    const expected = hostExpected(name, storedCapacity(taken));
    world.hosts.put(hostAway(expected, world.clock.now(), sessionSettings(world).host_lost_ms));
  }
  world.log.warn({ host: name, coordinator: dead }, 'the host of a coordinator that is gone is taken over');
};

/**
 * Takes the hosts over of coordinators that have fallen silent, and with them sessions and bookings that nobody would end. Once for
 * each silence: a host that goes to that coordinator again shows that it lives, whatever it says of itself.
 */
export const createOrphans = (world: World, lease: Lease): (() => Promise<void>) => {
  const done = new Set<string>();
  let looked: ReadonlyMap<string, string> = new Map();
  return async () => {
    const dead = lease.dead();
    if ([...dead].every(([name, word]) => looked.get(name) === word)) return;
    const held_by = { in: [...dead.keys()] };
    for (const row of await world.db.read(({ hosts }) => hosts.find({ held_by }))) {
      const once = `${row.name} ${row.held_by} ${dead.get(row.held_by ?? '')}`;
      if (row.held_by === null || done.has(once)) continue;
      await adopt(world, row, row.held_by);
      done.add(once);
    }
    looked = dead;
  };
};
