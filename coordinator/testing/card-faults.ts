import { fitsOn, type Load } from '../../shared/capacity.ts';
import type { HostCard } from '../../shared/protocol/agent-link.ts';
import { storedCapacity } from '../seats/hosts.ts';
import { cardOf, needsOf } from '../seats/rules-capacity.ts';
import { cardOfSession } from '../seats/rules-hosts.ts';
import type { World } from '../sessions/live.ts';
import type { Database } from '../store/database.ts';

/** Whether the loads, which are all of this card, are more than fits. */
const overfull = (card: HostCard, loads: readonly Omit<Load, 'card'>[]): boolean => {
  const here = loads.map((load) => ({ ...load, card: card.index }));
  return here.some((load, at) => !fitsOn(card, here.slice(0, at), load));
};

/** Where more is stored on a card than fits, at any time; empty when all is well. */
export const storedCardFaults = async (db: Database): Promise<string[]> => {
  const { hosts, slots } = await db.read(async (tables) => ({
    hosts: await tables.hosts.find({}),
    slots: await tables.seat_slots.find({}),
  }));
  const byHost = Map.groupBy(slots, ({ host }) => host);
  return hosts.flatMap((row) => {
    const capacity = storedCapacity(row);
    return [...Map.groupBy(byHost.get(row.name) ?? [], ({ slot_at }) => slot_at)].flatMap(([at, held]) => {
      const byCard = Map.groupBy(held, ({ seat }) => cardOf(capacity, seat)?.index);
      return capacity.cards
        .filter((card) =>
          overfull(
            card,
            (byCard.get(card.index) ?? []).map(({ app }) => needsOf(capacity, app)),
          ),
        )
        .map(({ index }) => `card ${index} of ${row.name} at ${new Date(at).toISOString()} is too full`);
    });
  });
};

/** The same, and where more runs now. */
export const cardFaults = async ({ db, hosts, sessions }: World): Promise<string[]> => {
  const held = Map.groupBy(
    [...sessions.values()].filter(({ seat_held }) => seat_held),
    ({ host }) => host,
  );
  const running = [...hosts.values()].flatMap((host) =>
    host.capacity.cards
      .filter((card) => {
        const here = (held.get(host.name) ?? []).filter((one) => cardOfSession(host, one) === card.index);
        return overfull(
          card,
          here.map(({ app }) => needsOf(host.capacity, app)),
        );
      })
      .map(({ index }) => `card ${index} of ${host.name} runs too much`),
  );
  return [...(await storedCardFaults(db)), ...running];
};
