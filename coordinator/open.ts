import { readCatalogue, takeOverFile } from './catalogue/catalogue.ts';
import type { CatalogueServices } from './catalogue/data-directory.ts';
import { isElsewhere } from './catalogue/elsewhere.ts';
import { letGoWhenFenced } from './fleet/claims.ts';
import { createLives, type Fleet } from './fleet/lives.ts';
import { storedCapacity } from './seats/hosts.ts';
import { capacityOf } from './seats/rules-capacity.ts';
import { hostAway, hostExpected } from './seats/rules-hosts.ts';
import { createWorld, takeUp, type World } from './sessions/live.ts';
import { sessionOf } from './sessions/rows.ts';
import { sessionSettings } from './sessions/settings.ts';

/** Takes the sessions up that the database knows of. Their hosts count as away until they come back, or are lost. */
const takeUpSessions = async (world: World): Promise<void> => {
  const rows = await world.db.read((tables) => tables.sessions.find({}));
  const now = world.clock.now();
  for (const row of rows) {
    if (isElsewhere(world, world.catalogue.now().hosts.get(row.host))) continue;
    const session = sessionOf(row);
    if (session === undefined) {
      world.log.error({ session: row.id }, 'the stored session cannot be read and is left alone');
      continue;
    }
    takeUp(world, { session, version: row.version });
  }
  // Bookings count on hosts that have ever come, sessions on the one that they run on.
  const known = [...world.catalogue.now().hosts.values()]
    .filter((host) => host.seats > 0 && !isElsewhere(world, host))
    .map(({ name }) => name);
  for (const name of new Set([...known, ...[...world.sessions.values()].map(({ host }) => host)])) {
    const row = world.catalogue.now().hosts.get(name);
    const capacity = row === undefined ? capacityOf(0) : storedCapacity(row);
    world.hosts.put(hostAway(hostExpected(name, capacity), now, sessionSettings(world).host_lost_ms));
  }
  if (rows.length > 0) world.log.info({ sessions: rows.length }, 'sessions of the last run are taken up');
};

/** The world as the data directory and the database describe it. Rejects with Unavailable. */
export const openWorld = async (services: CatalogueServices): Promise<Fleet> => {
  const world = { ...createWorld(services), lives: createLives() };
  await takeOverFile(services);
  world.catalogue.put(await readCatalogue(services));
  await takeUpSessions(world);
  letGoWhenFenced(world);
  return world;
};
