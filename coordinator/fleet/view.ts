import type { CatalogueHostView } from '../../shared/protocol/catalogue.ts';
import { isElsewhere } from '../catalogue/elsewhere.ts';
import type { Services } from '../kit/services.ts';
import { drainingCards, type Hosts, storedCapacity } from '../seats/hosts.ts';
import { cardOf } from '../seats/rules-capacity.ts';
import { isConnected } from '../seats/rules-hosts.ts';
import type { HostRow, SessionRow } from '../store/tables.ts';
import type { HostLives } from './lives.ts';

/** By what a host is described: what is stored of it, and what this coordinator hears from it. */
export interface HostViewNeeds extends Pick<Services, 'store'> {
  readonly lives: Pick<HostLives, 'lost'>;
  readonly hosts: Pick<Hosts, 'get'>;
}

/** The host as operators see it. */
export const describeHost = (
  needs: HostViewNeeds,
  row: HostRow,
  { apps, sessions }: { readonly apps: readonly string[]; readonly sessions: readonly SessionRow[] },
): CatalogueHostView => {
  const { name, seats, draining, quarantined_at, source, created_at, version } = row;
  const draining_cards = [...drainingCards(row)];
  const host = needs.hosts.get(name);
  const connected = host !== undefined && isConnected(host);
  const capacity = connected ? host.capacity : storedCapacity(row);
  const cardOn = ({ id, seat }: SessionRow) => host?.placed.get(id) ?? cardOf(capacity, seat)?.index;
  return {
    ...{ name, apps: [...apps], seats, draining, draining_cards },
    link: connected ? 'connected' : isElsewhere(needs, row) ? 'elsewhere' : 'away',
    last_seen_at: host?.heard_at ?? needs.lives.lost.get(name) ?? null,
    agent_version: host?.version ?? null,
    placing: capacity.placing,
    cards: (seats === 0 ? [] : capacity.cards).map((card) => ({
      ...card,
      draining: draining || draining_cards.includes(card.index),
      sessions: sessions.filter((session) => cardOn(session) === card.index).length,
      warm: (host?.warm ?? [])
        .filter((warm) => warm.card === card.index)
        .map(({ rc_name, ready }) => ({ rc_name, ready })),
    })),
    needs: [...capacity.needs],
    figures: host?.figures ?? null,
    ...{ quarantined_at, source, created_at, version },
  };
};
