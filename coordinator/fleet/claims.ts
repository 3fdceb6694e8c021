import { refuse } from '../../shared/errors.ts';
import { isElsewhere } from '../catalogue/elsewhere.ts';
import { capacityText } from '../seats/hosts.ts';
import type { Capacity } from '../seats/rules-capacity.ts';
import { takeUp, type World } from '../sessions/live.ts';
import { sessionOf } from '../sessions/rows.ts';
import type { HostRow, SessionRow, Tables } from '../store/tables.ts';

/** The sessions of the host, once whoever had them has stored what it was about to: from then on it is fenced. */
const lockSessions = async ({ sessions }: Tables, host: string): Promise<SessionRow[]> => {
  const rows: SessionRow[] = [];
  for (const { id } of await sessions.find({ host })) {
    const row = await sessions.lock({ id });
    if (row !== undefined) rows.push(row);
  }
  return rows;
};

/**
 * Makes the host this coordinator's, if `said` has something to say of its row, and brings its sessions into memory if another
 * coordinator had them. The row as it is then; undefined when it is left alone. Rejects with Unavailable.
 */
export const takeOver = async (
  world: World,
  name: string,
  said: (row: HostRow) => Partial<Pick<HostRow, 'seats' | 'capacity'>> | undefined,
): Promise<HostRow | undefined> => {
  const held_by = world.store.configuration().coordinator_name;
  const taken = await world.db.transact(async (tables) => {
    const row = await tables.hosts.lock({ name });
    const changes = row && said(row);
    if (row === undefined || changes === undefined) return undefined;
    const host = { ...row, ...changes, held_by };
    if (!Object.entries(host).every(([column, value]) => Reflect.get(row, column) === value)) {
      await tables.hosts.update({ name }, { ...changes, held_by });
      host.version += 1;
    }
    return { host, rows: row.held_by === held_by ? [] : await lockSessions(tables, name) };
  });
  for (const row of taken?.rows ?? []) {
    const session = sessionOf(row);
    if (session === undefined) world.log.error({ session: row.id }, 'the stored session cannot be read');
    else if (!world.sessions.has(session.id)) takeUp(world, { session, version: row.version });
  }
  return taken?.host;
};

/** Takes over a host that connects, and stores its seats and cards, for which bookings are made while it is away. */
export const claimHost = async (
  world: World,
  name: string,
  seats: number,
  known: Capacity,
): Promise<void> => {
  await takeOver(world, name, () => ({ seats, capacity: capacityText(known) }));
};

/** Forgets the host and its sessions, which live at another coordinator now, and closes a link that is left of it. */
const forgetHost = (world: World, name: string): void => {
  const link = world.links.get(name);
  world.links.delete(name);
  world.hosts.drop(name);
  for (const { id, host } of [...world.sessions.values()]) {
    if (host !== name) continue;
    world.sessions.drop(id);
    world.saver.drop(id);
    // Who waits for news of it is told that it is not here.
    world.sessions.tell(id);
  }
  world.log.warn({ host: name }, 'the host has gone to another coordinator');
  // Should its agent speak here after all, it comes again.
  link?.close(refuse('shutting_down', 'another coordinator has taken the host'));
};

/** Forgets hosts that have come to another coordinator since. A link that is up is believed less than the row, read anew. */
export const letGo = async (world: World): Promise<void> => {
  for (const { name } of [...world.hosts.values()]) {
    if (!isElsewhere(world, world.catalogue.now().hosts.get(name))) continue;
    const link = world.links.get(name);
    const row = await world.db.read(({ hosts }) => hosts.get({ name }));
    if (isElsewhere(world, row) && world.links.get(name) === link) forgetHost(world, name);
  }
};

/** Lets a host go as soon as something about it can no longer be stored here. */
export const letGoWhenFenced = (world: World): void => {
  world.fenced.add((host) => forgetHost(world, host));
};
