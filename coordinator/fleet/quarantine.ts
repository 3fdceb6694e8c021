import { type Refusal, refuse } from '../../shared/errors.ts';
import type { LiveCatalogue } from '../catalogue/live.ts';
import { audit } from '../kit/audit.ts';
import { emit } from '../kit/outbox.ts';
import type { Services } from '../kit/services.ts';
import { doubtedAnew } from '../seats/rules-hosts.ts';
import type { World } from '../sessions/live.ts';
import { Unavailable } from '../store/database.ts';

/** Refuses the agents of a host that is locked away. */
export const checkQuarantine = (
  { catalogue }: { readonly catalogue: LiveCatalogue },
  name: string,
): Refusal | undefined => {
  const since = catalogue.now().hosts.get(name)?.quarantined_at ?? null;
  return since === null ? undefined : refuse('host_quarantined');
};

/**
 * Locks a host away whose identity is on two machines: its link is closed, and no agent of it is taken until it has a new
 * key or an operator says so. Its sessions are those of a host that is away. While the database cannot store it only the
 * one that came is refused: it will come again.
 */
export const quarantineHost = async (world: World, name: string): Promise<Refusal> => {
  const at = world.clock.now();
  const host = world.hosts.get(name);
  // Not to be believed just now, and not while this cannot be stored.
  if (host !== undefined) world.hosts.put(doubtedAnew(host, at));
  try {
    const done = await world.db.transact(async (tables) => {
      const row = await tables.hosts.lock({ name });
      if (row === undefined || row.quarantined_at !== null) return row;
      await tables.hosts.update({ name }, { quarantined_at: at });
      await audit(world, tables, 'coordinator', 'host.quarantined', name);
      await emit(world, tables, 'host.quarantined', { host: name });
      return { ...row, quarantined_at: at, version: row.version + 1 };
    });
    if (done !== undefined) world.catalogue.putHost(done);
    world.log.error(
      { host: name },
      'two machines use the key of this host: it is locked until it has a new key',
    );
    world.links.get(name)?.close(refuse('host_quarantined'));
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    world.log.error(
      { host: name, error },
      'two machines use the key of this host, which cannot be stored now',
    );
  }
  return refuse('host_quarantined');
};

/** Lets the host's agents in again; host_unknown. */
export const releaseHost = (
  parts: Pick<Services, 'db' | 'clock' | 'ids'>,
  actor: string,
  name: string,
): Promise<Refusal | undefined> =>
  parts.db.transact(async (tables) => {
    const row = await tables.hosts.lock({ name });
    if (row === undefined) return refuse('host_unknown');
    if (row.quarantined_at === null) return undefined;
    await tables.hosts.update({ name }, { quarantined_at: null });
    await audit(parts, tables, actor, 'host.released', name);
    return undefined;
  });
