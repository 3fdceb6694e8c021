import { isElsewhere } from '../catalogue/elsewhere.ts';
import type { World } from '../sessions/live.ts';

/**
 * Keeps in the rows which hosts have their link here, and what can be started over it: other coordinators start sessions by that. What
 * cannot be stored now is stored later.
 */
export const createLinkRows = (world: World): (() => Promise<void>) => {
  const { db, store, hosts, links } = world;
  /** Of which link the rows tell, by host; null where they tell of none. */
  const told = new Map<string, number | null>();

  const tell = async (host: string, apps: string | null): Promise<void> => {
    const coordinator = store.configuration().coordinator_name;
    await db.transact(async (tables) => {
      if (isElsewhere(world, await tables.hosts.lock({ name: host }))) return;
      const row = await tables.links.lock({ host });
      if (row === undefined) await tables.links.insert({ host, coordinator, apps });
      else await tables.links.update({ host }, { coordinator, apps });
    });
  };
  return async () => {
    if (!db.shared) return;
    for (const { name, apps } of [...hosts.values()]) {
      const epoch = links.get(name)?.epoch ?? null;
      if (told.get(name) === epoch) continue;
      await tell(name, epoch === null ? null : JSON.stringify(apps));
      told.set(name, epoch);
    }
    for (const name of told.keys()) if (!hosts.has(name)) told.delete(name);
  };
};
