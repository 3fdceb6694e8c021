import { hostDrained, hostLost } from './booking-hosts.ts';
import type { World } from './world.ts';

/** Bookings of a host that is away or draining are looked at again this often: seats elsewhere may have come free. */
const again_ms = 3_600_000;

/** Moves bookings off hosts that are lost or draining, when that begins and then every hour. */
export const createEvacuations = (world: World): (() => Promise<void>) => {
  const done = new Map<string, number>();
  return async () => {
    const now = world.clock.now();
    const away = [...world.lost].map((name) => ({ name, leave: hostLost }));
    const draining = [...world.catalogue.hosts.values()]
      .filter(({ name, draining }) => draining && !world.lost.has(name))
      .map(({ name }) => ({ name, leave: hostDrained }));
    const leaving = [...away, ...draining];
    for (const name of [...done.keys()]) if (!leaving.some((one) => one.name === name)) done.delete(name);
    for (const { name, leave } of leaving) {
      if (now - (done.get(name) ?? Number.NEGATIVE_INFINITY) < again_ms) continue;
      await leave(world, name);
      done.set(name, now);
    }
  };
};
