import { z } from 'zod';
import type { HostRow, LinkRow, ReadTables } from '../store/tables.ts';
import { holdsOf } from './holds.ts';
import { type Hosts, type Seating, storedCapacity } from './hosts.ts';
import { type Host, hostConnected, type Occupant } from './rules-hosts.ts';

const appsSchema = z.array(z.string());

/** What can be started on the host over a link that another coordinator has; undefined while there is none. */
export const linkedApps = (
  link: LinkRow | undefined,
  { held_by }: Pick<HostRow, 'held_by'>,
): readonly string[] | undefined =>
  link?.apps == null || link.coordinator !== held_by ? undefined : appsSchema.parse(JSON.parse(link.apps));

/** A host of which only the rows are known. */
export const hostElsewhere = (row: HostRow, apps: readonly string[], now: number): Host => {
  const { name, seats } = row;
  const said = { placed: new Map(), doubted: new Map(), warm: [], version: null };
  return hostConnected({ ...said, name, seats, apps, capacity: storedCapacity(row) }, 0, [], now);
};

/** Who sits on its seats now, as far as slots say. */
const occupantsOf = async (tables: Pick<ReadTables, 'seat_slots'>, names: string[], now: number) =>
  (await holdsOf(tables, { host: { in: names } }, now, now + 1)).map(
    ({ host, seat, app, to }): Occupant => ({
      ...{ id: `${host} ${seat}`, app: app ?? '', host, seat, seat_held: true },
      ...{ phase: 'ready', phases: {}, ends_at: to },
    }),
  );

const replace = (elsewhere: Hosts, hosts: readonly Host[], occupants: readonly Occupant[]): void => {
  for (const { name } of [...elsewhere.values()]) elsewhere.drop(name);
  for (const { id } of [...elsewhere.occupants()]) elsewhere.free(id);
  for (const host of hosts) elsewhere.put(host);
  for (const occupant of occupants) elsewhere.occupy(occupant);
};

/** Reads which hosts other coordinators have, and who sits there. */
export const createElsewhere = (seating: Seating): (() => Promise<void>) => {
  const { db, store, clock, elsewhere } = seating;
  return async () => {
    if (!db.shared) return;
    const now = clock.now();
    const me = store.configuration().coordinator_name;
    const { hosts, occupants } = await db.read(async (tables) => {
      const links = (await tables.links.find({})).filter(
        ({ coordinator, apps }) => coordinator !== me && apps !== null,
      );
      const names = links.map(({ host }) => host);
      if (names.length === 0) return { hosts: [], occupants: [] };
      const rows = new Map((await tables.hosts.find({ name: { in: names } })).map((row) => [row.name, row]));
      const found = links.flatMap((link) => {
        const row = rows.get(link.host);
        const apps = row && linkedApps(link, row);
        return row === undefined || apps === undefined ? [] : [hostElsewhere(row, apps, now)];
      });
      return { hosts: found, occupants: await occupantsOf(tables, names, now) };
    });
    replace(elsewhere, hosts, occupants);
  };
};
