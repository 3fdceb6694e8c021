import type { App } from '../catalogue/catalogue.ts';
import { isElsewhere } from '../catalogue/elsewhere.ts';
import { takesNew } from '../catalogue/rules.ts';
import { hostElsewhere, linkedApps } from '../seats/elsewhere.ts';
import { holdsOf } from '../seats/holds.ts';
import { drainingCards, drainingIn, type Hosts } from '../seats/hosts.ts';
import { bestSeat, emptySeats, type FreeSeat } from '../seats/rules-allocation.ts';
import { isBound } from '../seats/rules-capacity.ts';
import type { Host, Occupant } from '../seats/rules-hosts.ts';
import type { Hold } from '../seats/rules-plans.ts';
import type { HostRow, Tables } from '../store/tables.ts';
import type { World } from './live.ts';
import { sessionOf } from './rows.ts';

/** A session that looks for a seat. */
export interface Wanted {
  readonly app: App;
  readonly now: number;
  readonly to: number;
  /** Whether it may be given a seat that a booking needs before `to`. */
  readonly short: boolean;
}

/** What is known of the hosts, and of who sits there or will. */
export const occupancy = (world: World, hosts: Hosts, holds: readonly Hold[], now: number) => ({
  hosts,
  sessions: [...hosts.occupants()],
  draining: drainingIn(world.catalogue.now()),
  starting: world.starting,
  holds,
  now,
});

/** The host whose row is locked, and who sits there; undefined where nothing can be started on it. */
const seen = async (
  world: World,
  tables: Tables,
  row: HostRow,
  { app, now }: Wanted,
): Promise<{ readonly host: Host; readonly sessions: readonly Occupant[] } | undefined> => {
  if (!isElsewhere(world, row)) {
    const host = world.hosts.get(row.name);
    return host && { host, sessions: [...world.hosts.occupants()] };
  }
  const apps = linkedApps(await tables.links.get({ host: row.name }), row);
  if (apps?.includes(app.name) !== true) return undefined;
  const rows = await tables.sessions.find({ host: row.name });
  return { host: hostElsewhere(row, apps, now), sessions: rows.flatMap((one) => sessionOf(one) ?? []) };
};

/** The best seat of the host, which is locked then; undefined where it has none to give. */
export const lockBestSeat = async (
  world: World,
  tables: Tables,
  name: string,
  wanted: Wanted,
): Promise<FreeSeat | undefined> => {
  const { app, now, to, short } = wanted;
  const row = await tables.hosts.lock({ name });
  const found = row === undefined || !takesNew(row) ? undefined : await seen(world, tables, row, wanted);
  if (row === undefined || found === undefined) return undefined;
  const { host, sessions } = found;
  const empty = emptySeats(host, sessions);
  if (empty.length === 0) return undefined;
  // Where a card may have less room than seats, what is held on the others counts too.
  const bound = host.capacity.cards.some((card) => isBound(card, host.capacity));
  // As many as the host has seats, so that each time it is the same prepared statement.
  const asked = Array.from({ length: host.seats }, (_, at) => (bound ? at : (empty[at] ?? empty[0] ?? 0)));
  const holds = await holdsOf(tables, { host: name, seat: { in: asked } }, now, to);
  const { starting } = world;
  const at = { hosts: world.hosts, sessions, starting, holds, now, draining: () => drainingCards(row) };
  const seat = bestSeat(app.name, host, at, to);
  return seat === undefined || (seat.until < to && !short) ? undefined : seat;
};
