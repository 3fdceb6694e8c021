import { hostChanged, hostLost } from '../bookings/evacuation.ts';
import { isElsewhere } from '../catalogue/elsewhere.ts';
import { takesNew } from '../catalogue/rules.ts';
import { drainingCards } from '../seats/hosts.ts';
import type { HostRow } from '../store/tables.ts';
import type { Fleet } from './lives.ts';

/** Bookings of a host that is away or draining are looked at again this often: seats elsewhere may have come free. */
const again_ms = 3_600_000;

/** Moves bookings off hosts and cards that are lost or draining, when that begins and then every hour, and off seats that are gone. */
export const createEvacuations = (world: Fleet): (() => Promise<void>) => {
  const done = new Map<string, number>();
  const known = new Map<string, string>();
  /** What bookings on the host depend on. */
  const shapeOf = ({ name, seats, capacity, draining_cards }: HostRow): string => {
    const apps = [...world.catalogue.now().apps.values()].filter(({ hosts }) => hosts.includes(name));
    return JSON.stringify([seats, capacity, draining_cards, apps.map((app) => app.name).sort()]);
  };
  /** A host on which bookings could take place as far as anybody knows now. */
  const alive = (name: string): boolean =>
    !world.lives.lost.has(name) &&
    (world.hosts.has(name) || isElsewhere(world, world.catalogue.now().hosts.get(name)));
  return async () => {
    const now = world.clock.now();
    const here = [...world.catalogue.now().hosts.values()].filter(({ name }) => !world.lives.lost.has(name));
    const leaving = [
      ...[...world.lives.lost.keys()].map((name) => ({ name, key: `lost ${name}`, leave: hostLost })),
      ...here
        .filter((host) => !takesNew(host))
        .map(({ name }) => ({ name, key: `drained ${name}`, leave: hostLost })),
      ...here
        .filter((host) => takesNew(host) && drainingCards(host).length > 0)
        .map(({ name }) => ({ name, key: `changed ${name}`, leave: hostChanged })),
    ];
    for (const host of here) {
      const shape = shapeOf(host);
      if (known.get(host.name) === shape || !takesNew(host)) continue;
      await hostChanged(world, host.name, alive);
      known.set(host.name, shape);
      done.set(`changed ${host.name}`, now);
    }
    for (const key of [...done.keys()]) if (!leaving.some((one) => one.key === key)) done.delete(key);
    for (const { name, key, leave } of leaving) {
      if (now - (done.get(key) ?? Number.NEGATIVE_INFINITY) < again_ms) continue;
      await leave(world, name, alive);
      done.set(key, now);
    }
  };
};
