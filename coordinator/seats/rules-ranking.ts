import { shareTaken, type Use } from './rules-capacity.ts';
import { cardOfSession, type Host, type Occupant } from './rules-hosts.ts';

/** How soon it is a card's turn to take a session: in each of these the smaller goes first. */
export interface Turn {
  /** 0 where an instance of the app waits. */
  readonly cold: 0 | 1;
  readonly card: number;
  readonly host: number;
  /** Free seats of the host, counted down: among equals the roomier goes first. */
  readonly room: number;
}

export const byTurn = (a: Turn, b: Turn): number =>
  a.cold - b.cold || a.card - b.card || a.host - b.host || a.room - b.room;

interface Situation {
  readonly sessions: readonly Occupant[];
  readonly starting?: ReadonlyMap<string, number>;
  readonly now: number;
}

/** How many instances of the app wait on the card, less those that sessions have taken since the host counted them. */
const waiting = (app: string, host: Host, card: number, sessions: readonly Occupant[]): number => {
  const ready = host.warm
    .filter((warm) => warm.rc_name === app && warm.card === card)
    .reduce((sum, warm) => sum + warm.ready, 0);
  if (ready === 0) return 0;
  const since = host.heard_at ?? 0;
  const taken = sessions.filter(
    (one) =>
      one.host === host.name &&
      one.app === app &&
      (one.phases.accepted ?? 0) >= since &&
      cardOfSession(host, one) === card,
  );
  return ready - taken.length;
};

/**
 * The turn of each card of the host. Hosts that spread offer their emptiest card first, and seats that are just being given
 * away count as used there: those who come at the same moment do not wait for each other. Hosts that pack offer the fullest.
 */
export const turnsOf = (
  app: string,
  host: Host,
  uses: ReadonlyMap<number, readonly Use[]>,
  { sessions, starting, now }: Situation,
): ReadonlyMap<number, Turn> => {
  const { capacity, name, seats } = host;
  const held = sessions.filter((one) => one.seat_held && one.host === name).length;
  const stopping = [...host.stopping.values()].filter((until) => until > now).length;
  const being_given = starting?.get(name) ?? 0;
  const used = held + stopping + being_given;
  const full = used >= seats;
  const turn = (share: number): number => {
    if (capacity.placing === 'spread') return share;
    return full ? 2 : 1 - share;
  };
  return new Map(
    capacity.cards.map((card) => {
      const share = shareTaken(card, capacity, uses.get(card.index) ?? [], now);
      const busy = capacity.placing === 'spread' ? share + being_given / seats : share;
      return [
        card.index,
        {
          cold: waiting(app, host, card.index, sessions) > 0 ? 0 : 1,
          card: turn(busy),
          host: turn(used / seats),
          room: used - seats,
        },
      ];
    }),
  );
};
