import { takesNew } from '../domain/host.ts';
import type { HostRow } from '../store/tables.ts';
import { hostChanged, hostDrained, hostLost } from './booking-hosts.ts';
import type { World } from './world.ts';

/** Bookings of a host that is away or draining are looked at again this often: seats elsewhere may have come free. */
const again_ms = 3_600_000;

/** Moves bookings off hosts that are lost or draining, when that begins and then every hour, and off seats that are gone. */
export const createEvacuations = (world: World): (() => Promise<void>) => {
  const done = new Map<string, number>();
  const known = new Map<string, string>();
  /** What bookings on the host depend on. */
  const shapeOf = ({ name, seats }: HostRow): string => {
    const apps = [...world.catalogue.apps.values()].filter(({ hosts }) => hosts.includes(name));
    return JSON.stringify([seats, apps.map((app) => app.name).sort()]);
  };
  return async () => {
    const now = world.clock.now();
    const away = [...world.lost].map((name) => ({ name, leave: hostLost }));
    const draining = [...world.catalogue.hosts.values()]
      .filter((host) => !takesNew(host) && !world.lost.has(host.name))
      .map(({ name }) => ({ name, leave: hostDrained }));
    for (const host of world.catalogue.hosts.values()) {
      const shape = shapeOf(host);
      if (known.get(host.name) === shape || !takesNew(host) || world.lost.has(host.name)) continue;
      await hostChanged(world, host.name);
      known.set(host.name, shape);
    }
    const leaving = [...away, ...draining];
    for (const name of [...done.keys()]) if (!leaving.some((one) => one.name === name)) done.delete(name);
    for (const { name, leave } of leaving) {
      if (now - (done.get(name) ?? Number.NEGATIVE_INFINITY) < again_ms) continue;
      await leave(world, name);
      done.set(name, now);
    }
  };
};
