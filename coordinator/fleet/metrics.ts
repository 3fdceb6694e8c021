import { gaugeText, type Labels } from '../../shared/metrics.ts';
import type { Hosts } from '../seats/hosts.ts';
import { cardOfSession, type Host, isConnected, type Occupant } from '../seats/rules-hosts.ts';

type Sample = [Labels, number];

/** Leaves out what a host could not tell. */
const known = (labels: Labels, value: number | null | undefined): Sample[] =>
  value === null || value === undefined ? [] : [[labels, value]];

const megabytes = (labels: Labels, value: number | null | undefined): Sample[] =>
  known(labels, typeof value === 'number' ? value * 1_048_576 : value);

/** Hosts with what runs on them. */
interface Fleet {
  readonly connected: readonly Host[];
  readonly held: ReadonlyMap<string, readonly Occupant[]>;
}

type Card = Host['capacity']['cards'][number];
type CardFigures = NonNullable<Host['figures']>['cards'][number];

const byHost = ({ connected }: Fleet, of: (host: Host, labels: Labels) => Sample[]): Sample[] =>
  connected.flatMap((host) => of(host, { host: host.name }));

const byCard = (fleet: Fleet, of: (card: Card, host: Host) => number): Sample[] =>
  byHost(fleet, (host, labels) =>
    host.capacity.cards.map((card) => [{ ...labels, card: String(card.index) }, of(card, host)]),
  );

const byFigures = (fleet: Fleet, of: (card: CardFigures, labels: Labels) => Sample[]): Sample[] =>
  byHost(fleet, (host, labels) =>
    (host.figures?.cards ?? []).flatMap((card) => of(card, { ...labels, card: String(card.index) })),
  );

const seatsText = (fleet: Fleet): string[] => [
  gaugeText(
    'coordinator_card_seats',
    'Seats of each graphics card.',
    byCard(fleet, ({ seats }) => seats),
  ),
  gaugeText(
    'coordinator_card_seats_used',
    'Those that hold a session.',
    byCard(
      fleet,
      ({ index }, host) =>
        (fleet.held.get(host.name) ?? []).filter((session) => cardOfSession(host, session) === index).length,
    ),
  ),
  gaugeText(
    'coordinator_warm_instances',
    'Instances that wait for a session.',
    byHost(fleet, ({ warm }, labels) =>
      warm.map(({ rc_name, card, ready }) => [{ ...labels, card: String(card), app: rc_name }, ready]),
    ),
  ),
];

const cardText = (
  fleet: Fleet,
  name: string,
  help: string,
  of: (card: CardFigures, labels: Labels) => Sample[],
) => gaugeText(`coordinator_card_${name}`, help, byFigures(fleet, of));

const hostText = (
  fleet: Fleet,
  name: string,
  help: string,
  of: (figures: Host['figures'], labels: Labels) => Sample[],
) =>
  gaugeText(
    `coordinator_host_${name}`,
    help,
    byHost(fleet, ({ figures }, labels) => of(figures, labels)),
  );

/** The hosts that are connected here: their seats by card, and how busy they say they are. */
export const hostsText = (hosts: Pick<Hosts, 'values' | 'occupants'>): string[] => {
  const holding = [...hosts.occupants()].filter(({ seat_held }) => seat_held);
  const held = Map.groupBy(holding, ({ host }) => host);
  const fleet = { connected: [...hosts.values()].filter(isConnected), held };
  return [
    ...seatsText(fleet),
    cardText(fleet, 'busy_percent', 'How busy the card is.', (card, labels) =>
      known(labels, card.busy_percent),
    ),
    cardText(fleet, 'encoder_percent', 'How busy its video encoder is.', (card, labels) =>
      known(labels, card.encoder_percent),
    ),
    cardText(fleet, 'memory_used_bytes', 'Memory of the card in use.', (card, labels) =>
      megabytes(labels, card.vram_used_mb),
    ),
    cardText(fleet, 'memory_bytes', 'Memory of the card.', (card, labels) =>
      megabytes(labels, card.vram_total_mb),
    ),
    cardText(fleet, 'temperature_celsius', 'Temperature of the card.', (card, labels) =>
      known(labels, card.temperature_c),
    ),
    hostText(fleet, 'cpu_percent', 'How busy the processors of the host are.', (figures, labels) =>
      known(labels, figures?.cpu_percent),
    ),
    hostText(fleet, 'memory_used_bytes', 'Memory of the host in use.', (figures, labels) =>
      megabytes(labels, figures?.memory_used_mb),
    ),
    hostText(fleet, 'memory_bytes', 'Memory of the host.', (figures, labels) =>
      megabytes(labels, figures?.memory_total_mb),
    ),
  ];
};
