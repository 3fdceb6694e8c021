import { z } from 'zod';
import { appNeedsSchema, hostCardSchema } from '../../shared/protocol/agent-link.ts';
import type { Catalogue } from '../catalogue/catalogue.ts';
import type { LiveCatalogue } from '../catalogue/live.ts';
import type { Services } from '../kit/services.ts';
import type { HostRow } from '../store/tables.ts';
import { type Capacity, capacityOf } from './rules-capacity.ts';
import type { Host, Occupant } from './rules-hosts.ts';

/** What was heard of each host, and who sits on its seats. */
export interface Hosts extends Pick<ReadonlyMap<string, Host>, 'get' | 'has' | 'values' | 'size'> {
  put(host: Host): void;
  drop(name: string): void;
  occupants(): Iterable<Occupant>;
  /** The session is on its seat, as it is now. */
  occupy(occupant: Occupant): void;
  /** Nothing is known any more of the session with this id. */
  free(id: string): void;
}

export const createHosts = (): Hosts => {
  const hosts = new Map<string, Host>();
  const occupants = new Map<string, Occupant>();
  return {
    get: (name) => hosts.get(name),
    has: (name) => hosts.has(name),
    values: () => hosts.values(),
    get size() {
      return hosts.size;
    },
    put: (host) => void hosts.set(host.name, host),
    drop: (name) => void hosts.delete(name),
    occupants: () => occupants.values(),
    occupy: (occupant) => void occupants.set(occupant.id, occupant),
    free: (id) => void occupants.delete(id),
  };
};

/** What decisions about seats are made with. */
export interface Seating extends Services {
  readonly catalogue: LiveCatalogue;
  readonly hosts: Hosts;
  /** Hosts whose link another coordinator has, as their rows said a moment ago. */
  readonly elsewhere: Hosts;
}

/** All hosts, whichever coordinator has their link. */
export const allHosts = ({ hosts, elsewhere }: Pick<Seating, 'hosts' | 'elsewhere'>) => ({
  get: (name: string): Host | undefined => hosts.get(name) ?? elsewhere.get(name),
  *values(): Iterable<Host> {
    yield* hosts.values();
    for (const host of elsewhere.values()) if (!hosts.has(host.name)) yield host;
  },
  *occupants(): Iterable<Occupant> {
    yield* hosts.occupants();
    for (const one of elsewhere.occupants()) if (!hosts.has(one.host)) yield one;
  },
});

const capacitySchema = z.object({
  cards: z.array(hostCardSchema),
  needs: z.array(appNeedsSchema),
  placing: z.enum(['spread', 'pack']),
});

/** What was read before, by text: hosts are read far more often than they change. */
const known = new Map<string, z.infer<typeof capacitySchema> | undefined>();
const known_most = 2_000;

const parsed = (text: string): z.infer<typeof capacitySchema> | undefined => {
  if (known.has(text)) return known.get(text);
  // Another version may have written it: then its seats are all that is known.
  const capacity = capacitySchema.safeParse(JSON.parse(text)).data;
  if (known.size >= known_most) known.clear();
  known.set(text, capacity);
  return capacity;
};

/** The host's capacity as it is stored. */
export const storedCapacity = ({ seats, capacity }: Pick<HostRow, 'seats' | 'capacity'>): Capacity =>
  capacityOf(seats, capacity === null ? undefined : parsed(capacity));

/** The same as the column holds it. */
export const capacityText = ({ cards, needs, placing }: Capacity): string =>
  JSON.stringify({ cards, needs, placing });

const drainingSchema = z.array(z.number().int());

/** The numbers of the host's cards that take nothing new. */
export const drainingCards = ({ draining_cards }: Pick<HostRow, 'draining_cards'>): readonly number[] =>
  draining_cards === '[]' ? [] : drainingSchema.parse(JSON.parse(draining_cards));

/** The same of any host, as the catalogue in memory says. */
export const drainingIn =
  ({ hosts }: Pick<Catalogue, 'hosts'>) =>
  (name: string): readonly number[] => {
    const row = hosts.get(name);
    return row === undefined ? [] : drainingCards(row);
  };
