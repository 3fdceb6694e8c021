import type { Draining } from '../../shared/protocol/agent-link.ts';
import { audit } from '../kit/audit.ts';
import type { Services } from '../kit/services.ts';
import { drainingCards } from '../seats/hosts.ts';
import type { World } from '../sessions/live.ts';
import type { HostRow } from '../store/tables.ts';

type Drained = Pick<HostRow, 'draining' | 'draining_cards' | 'drained_by_host_at'>;

/** What of the host takes nothing new, and by whose word. */
export const drainingOf = (row: Drained): Draining => ({
  by: row.draining ? (row.drained_by_host_at === null ? 'operator' : 'host') : null,
  cards: [...drainingCards(row)],
});

/**
 * Drains the host by its own word, or takes that word back. An operator's word stands above it: what an operator has drained stays so. What
 * holds afterwards; undefined when there is no such host any more.
 */
export const drainByHost = (
  parts: Pick<Services, 'db' | 'clock' | 'ids'>,
  name: string,
  draining: boolean,
): Promise<Draining | undefined> =>
  parts.db.transact(async (tables) => {
    const row = await tables.hosts.lock({ name });
    if (row === undefined) return undefined;
    const { by } = drainingOf(row);
    if (by === 'operator' || draining === (by === 'host')) return drainingOf(row);
    const said = { draining, drained_by_host_at: draining ? parts.clock.now() : null };
    await tables.hosts.update({ name }, said);
    await audit(parts, tables, 'host', 'host.changed', name, { draining });
    return drainingOf({ ...row, ...said });
  });

/** Tells each connected host when what of it drains has changed; WELCOME has told it before. The function returned ends that. */
export const tellDraining = (world: World): (() => void) => {
  const told = new WeakMap<object, string>();
  const tell = () => {
    for (const [host, link] of world.links) {
      const row = world.catalogue.now().hosts.get(host);
      if (row === undefined || !link.drains) continue;
      const draining = drainingOf(row);
      const text = JSON.stringify(draining);
      if (told.get(link) === text) continue;
      told.set(link, text);
      link.send({ msg: 'DRAINING', draining });
    }
  };
  return world.catalogue.onChange(tell);
};
