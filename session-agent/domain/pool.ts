import { fitsOn } from '../../shared/capacity.ts';
import type { AppNeeds, HostCard } from '../../shared/protocol/agent-link.ts';

/** Warm instances that may be starting at one time: an app's boot is the heaviest thing that it does. */
const STARTING_MAX = 2;

const FIRST_BACKOFF_MS = 5_000;
const LONGEST_BACKOFF_MS = 300_000;

/** How long to wait after so many warm starts of an app have failed in a row (1 is the first), in ms. */
export const warmBackoff = (failures: number): number =>
  Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 10));

/** What one instance of an app takes. */
export type Needs = AppNeeds;

/** An instance as far as room is concerned. */
export interface Held extends Needs {
  readonly id: string;
  readonly card: number;
  /** Taken by a session, or started ahead of one. */
  readonly use: 'session' | 'warm';
  /** Of a warm one: whether it can be given away, could be soon, or is on its way out. */
  readonly state: 'starting' | 'ready' | 'stopping';
  /** A warm one of a configuration that has changed since, or that has waited too long. */
  readonly stale: boolean;
}

/** So many warm instances of an app on a card, for bookings that open soon. */
export interface WarmWish {
  readonly rc_name: string;
  readonly card: number;
  readonly instances: number;
}

export interface Target extends Needs {
  /** How many to keep warm, on whatever card. */
  readonly instances: number;
  /** How many of them on which card at least, for sessions whose card is known already; may be more in all. */
  readonly on: ReadonlyMap<number, number>;
  /** Its last warm starts failed: none is started now. */
  readonly waiting: boolean;
}

export interface Room {
  readonly cards: readonly HostCard[];
  readonly placing: 'spread' | 'pack';
  readonly held: readonly Held[];
}

/** The card on which one more with these needs fits beside all loads, or undefined: the emptiest, or the fullest when packing. */
export const chooseCard = ({ cards, placing, held }: Room, needs: Needs): number | undefined => {
  const free = (card: HostCard) => card.seats - held.filter(({ card: index }) => index === card.index).length;
  const fitting = cards.filter((card) => fitsOn(card, held, needs));
  const [first] = fitting.sort((a, b) => (placing === 'spread' ? free(b) - free(a) : free(a) - free(b)));
  return first?.index;
};

/** What a session that wants this card has to wait for: warm instances to stop, and then for these and others to be gone. */
export interface Clearing {
  readonly stop: readonly string[];
  readonly wait_for: readonly string[];
}

/** The first to go for the sake of a session: what cannot be given away yet, then what is of other apps. */
const sacrifice = (rc_name: string, a: Held, b: Held): number => {
  const worth = (held: Held) => (held.state === 'ready' ? 2 : 0) + (held.rc_name === rc_name ? 1 : 0);
  return worth(a) - worth(b);
};

/** How to make room on a card for a session, or undefined when other sessions leave none. Warm instances yield. */
export const clear = (card: HostCard, held: readonly Held[], needs: Needs): Clearing | undefined => {
  const sessions = held.filter(({ use }) => use === 'session');
  if (!fitsOn(card, sessions, needs)) return undefined;
  if (fitsOn(card, held, needs)) return { stop: [], wait_for: [] };
  const warm = held.filter(({ use, card: index }) => use === 'warm' && index === card.index);
  const leaving = warm.filter(({ state }) => state === 'stopping');
  const left = warm
    .filter(({ state }) => state !== 'stopping')
    .sort((a, b) => sacrifice(needs.rc_name, a, b));
  const stop: string[] = [];
  while (!fitsOn(card, [...sessions, ...left], needs)) {
    const first = left.shift();
    if (first === undefined) break;
    stop.push(first.id);
  }
  return { stop, wait_for: [...leaving.map(({ id }) => id), ...stop] };
};

/** The warm instance for a session of that app: on that card if one is named, a ready one if there is one. */
export const pick = (
  held: readonly Held[],
  rc_name: string,
  card: number | undefined,
): string | undefined => {
  const fitting = held.filter(
    (one) =>
      one.use === 'warm' &&
      one.rc_name === rc_name &&
      one.state !== 'stopping' &&
      !one.stale &&
      (card === undefined || one.card === card),
  );
  return (fitting.find(({ state }) => state === 'ready') ?? fitting[0])?.id;
};

export interface Plan {
  readonly start: readonly { rc_name: string; card: number }[];
  readonly stop: readonly string[];
}

/** Warm instances that are wished for on their card, those that are ready first: the only ones that no other wish takes away. */
const promisedOf = (held: readonly Held[], targets: readonly Target[]): ReadonlySet<string> => {
  const good = held
    .filter(({ use, state, stale }) => use === 'warm' && state !== 'stopping' && !stale)
    .sort((a, b) => Number(b.state === 'ready') - Number(a.state === 'ready'));
  const ids = targets.flatMap(({ rc_name, on }) =>
    [...on].flatMap(([card, count]) =>
      good.filter((one) => one.rc_name === rc_name && one.card === card).slice(0, count),
    ),
  );
  return new Set(ids.map(({ id }) => id));
};

const surplus = (
  held: readonly Held[],
  targets: readonly Target[],
  promised: ReadonlySet<string>,
): string[] => {
  const warm = held.filter(({ use, state }) => use === 'warm' && state !== 'stopping');
  const names = [...new Set(warm.map(({ rc_name }) => rc_name))];
  return names.flatMap((rc_name) => {
    const { instances = 0 } = targets.find((target) => target.rc_name === rc_name) ?? {};
    const own = warm.filter((one) => one.rc_name === rc_name);
    const stale = own.filter((one) => one.stale);
    const others = own
      .filter((one) => !one.stale && !promised.has(one.id))
      .sort((a, b) => Number(b.state === 'ready') - Number(a.state === 'ready'));
    const kept = own.filter(({ id }) => promised.has(id)).length;
    return [...stale, ...others.slice(Math.max(0, instances - kept))].map(({ id }) => id);
  });
};

/** What of the rest has to go from a card so that one more with these needs fits; undefined when that would not do. */
const displaced = (
  card: HostCard,
  held: readonly Held[],
  needs: Needs,
  free: (one: Held) => boolean,
): readonly string[] | undefined => {
  const candidates = held
    .filter((one) => one.card === card.index && free(one))
    .sort((a, b) => sacrifice(needs.rc_name, a, b));
  for (let count = 0; count <= candidates.length; count++) {
    const going = candidates.slice(0, count);
    if (
      fitsOn(
        card,
        held.filter((one) => !going.includes(one)),
        needs,
      )
    )
      return going.map(({ id }) => id);
  }
  return undefined;
};

/**
 * What the pool does next: which instances to stop, and which to start where, so many that the machine is not swamped. What is
 * wished for on a card comes first, in the order of the targets, and takes the room of what config.json merely keeps
 * warm. One that is on its way out still counts as its app's: its place is taken when it is gone.
 */
export const plan = (room: Room, targets: readonly Target[]): Plan => {
  const promised = promisedOf(room.held, targets);
  const stop = surplus(room.held, targets, promised);
  const start: { rc_name: string; card: number }[] = [];
  let held = room.held;
  const starting = () => held.filter(({ use, state }) => use === 'warm' && state === 'starting').length;
  const have = (rc_name: string, card?: number) =>
    held.filter(
      (one) => one.use === 'warm' && one.rc_name === rc_name && (card === undefined || one.card === card),
    ).length;
  const launch = ({ rc_name, vram_mb, encoders }: Target, card: number) => {
    start.push({ rc_name, card });
    const id = `+${start.length}`;
    held = [...held, { id, rc_name, vram_mb, encoders, card, use: 'warm', state: 'starting', stale: false }];
  };
  const mayGo = ({ id, use }: Held) => use === 'warm' && !promised.has(id) && !id.startsWith('+');
  const willing = targets.filter(({ waiting }) => !waiting);
  for (const target of willing) {
    for (const card of room.cards) {
      const wanted = target.on.get(card.index) ?? 0;
      while (have(target.rc_name, card.index) < wanted && starting() < STARTING_MAX) {
        if (!fitsOn(card, held, target)) {
          // What is leaving makes room without anybody's help.
          const staying = held.filter(({ id, state }) => state !== 'stopping' && !stop.includes(id));
          stop.push(...(displaced(card, staying, target, mayGo) ?? []));
          break;
        }
        launch(target, card.index);
      }
    }
  }
  for (const target of willing) {
    while (have(target.rc_name) < target.instances && starting() < STARTING_MAX) {
      const card = chooseCard({ ...room, held }, target);
      if (card === undefined) break;
      launch(target, card);
    }
  }
  return { start, stop };
};
