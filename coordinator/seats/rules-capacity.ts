import { fitsOn } from '../../shared/capacity.ts';
import type { AppNeeds, HostCard } from '../../shared/protocol/agent-link.ts';
import type { Period } from '../kit/rules-time.ts';

/** What a host has said about its graphics cards: all that deciding about its seats needs while it is away. */
export interface Capacity {
  /** Card 0 owns the first of the host's seats, the next card those after them, and so on. */
  readonly cards: readonly HostCard[];
  /** What one session of each app takes of its card. */
  readonly needs: readonly AppNeeds[];
  /** Whether sessions fill one card before the next. */
  readonly placing: 'spread' | 'pack';
}

/** A time at which a seat is taken, and by which app; null when nobody knows. */
export interface Use extends Period {
  readonly app: string | null;
}

type Needs = Pick<AppNeeds, 'vram_mb' | 'encoders'>;

/** What runs on one card at one moment, together. */
interface Total extends Needs {
  readonly sessions: number;
}

/**
 * What the host says of its cards. One that says nothing, or nothing that agrees with its number of seats, is one card with
 * all of them and no other bound.
 */
export const capacityOf = (
  seats: number,
  {
    cards = [],
    needs = [],
    placing = 'spread',
  }: {
    readonly cards?: readonly HostCard[] | undefined;
    readonly needs?: readonly AppNeeds[] | undefined;
    readonly placing?: Capacity['placing'] | undefined;
  } = {},
): Capacity => {
  const together = cards.reduce((sum, card) => sum + card.seats, 0);
  const distinct = new Set(cards.map(({ index }) => index)).size === cards.length;
  const whole = { index: 0, seats, vram_mb: null, encoders: null };
  return { cards: together === seats && distinct ? cards : [whole], needs, placing };
};

/** The card to which a seat belongs; undefined for a seat that the host has no more. */
export const cardOf = ({ cards }: Capacity, seat: number): HostCard | undefined => {
  let beyond = 0;
  return cards.find((card) => {
    beyond += card.seats;
    return seat < beyond;
  });
};

/** What a session of the app takes of its card. Of an app that the host does not list, as much as of any. */
export const needsOf = ({ needs }: Capacity, app: string | null): Needs => {
  const listed = needs.find(({ rc_name }) => rc_name === app);
  const most = (what: keyof Needs) => needs.reduce((found, one) => Math.max(found, one[what]), 0);
  return listed ?? { vram_mb: most('vram_mb'), encoders: most('encoders') };
};

/** Whether memory or encoders can run out on the card before its seats do. */
export const isBound = (card: HostCard, capacity: Capacity): boolean => {
  const most = needsOf(capacity, null);
  return (
    (card.vram_mb !== null && most.vram_mb * card.seats > card.vram_mb) ||
    (card.encoders !== null && most.encoders * card.seats > card.encoders)
  );
};

const times = (bound: number | null, used: number, need: number): number => {
  if (bound === null) return Number.POSITIVE_INFINITY;
  if (used > bound) return 0;
  return need === 0 ? Number.POSITIVE_INFINITY : Math.floor((bound - used) / need);
};

/** How many more sessions with these needs fit beside what is there: at least one exactly when `fitsOn` says so. */
const howMany = (card: HostCard, total: Total, needs: Needs): number =>
  Math.max(
    0,
    Math.min(
      card.seats - total.sessions,
      times(card.vram_mb, total.vram_mb, needs.vram_mb),
      times(card.encoders, total.encoders, needs.encoders),
    ),
  );

/** The most sessions of the app that the card can have. */
export const mostOn = (card: HostCard, capacity: Capacity, app: string): number =>
  howMany(card, { sessions: 0, vram_mb: 0, encoders: 0 }, needsOf(capacity, app));

const totalOf = (uses: readonly Use[], capacity: Capacity): Total => {
  const needs = uses.map(({ app }) => needsOf(capacity, app));
  const sum = (what: keyof Needs) => needs.reduce((total, one) => total + one[what], 0);
  return { sessions: uses.length, vram_mb: sum('vram_mb'), encoders: sum('encoders') };
};

/** How much of the card is taken at that moment, from 0 to 1: of whatever it has least of. */
export const shareTaken = (card: HostCard, capacity: Capacity, uses: readonly Use[], now: number): number => {
  const total = totalOf(
    uses.filter(({ from, to }) => from <= now && now < to),
    capacity,
  );
  const share = (used: number, bound: number | null) => (bound === null ? 0 : used / bound);
  return Math.max(
    share(total.sessions, card.seats),
    share(total.vram_mb, card.vram_mb),
    share(total.encoders, card.encoders),
  );
};

/** For how many more sessions there is room, from `from` until the next step. */
interface RoomStep {
  readonly from: number;
  readonly more: number;
}

/**
 * For how many more sessions of the app the card has room during a period, step by step; the first step is at its beginning.
 * `uses` are those of all seats of the card.
 */
export const roomOn = (
  card: HostCard,
  capacity: Capacity,
  uses: readonly Use[],
  app: string,
  { from, to }: Period,
): readonly RoomStep[] => {
  const needs = needsOf(capacity, app);
  const changes = uses
    .filter((use) => use.from < to && use.to > from)
    .flatMap((use) => {
      const one = { sessions: 1, ...needsOf(capacity, use.app) };
      return [
        { at: Math.max(use.from, from), sign: 1, one },
        { at: use.to, sign: -1, one },
      ];
    })
    .sort((a, b) => a.at - b.at);
  const steps: RoomStep[] = [];
  let total: Total = { sessions: 0, vram_mb: 0, encoders: 0 };
  let next = 0;
  const step = (at: number) => {
    for (let change = changes[next]; change?.at === at; change = changes[next]) {
      const { sign, one } = change;
      total = {
        sessions: total.sessions + sign,
        vram_mb: total.vram_mb + sign * one.vram_mb,
        encoders: total.encoders + sign * one.encoders,
      };
      next += 1;
    }
    const more = howMany(card, total, needs);
    if (steps.at(-1)?.more !== more) steps.push({ from: at, more });
  };
  step(from);
  for (let change = changes[next]; change !== undefined && change.at < to; change = changes[next]) {
    step(change.at);
  }
  return steps;
};

/** Until when from the period's beginning on there is room for one more session of the app: at most to its end. */
export const roomUntil = (...given: Parameters<typeof roomOn>): number =>
  roomOn(...given).find(({ more }) => more < 1)?.from ?? given[4].to;

/** For how many more sessions of the app there is room during all of the period. */
export const roomDuring = (...given: Parameters<typeof roomOn>): number =>
  Math.min(...roomOn(...given).map(({ more }) => more));

/** Those of the uses for which the card has no room beside those that began before them. */
export const surplus = <One extends Use>(
  card: HostCard,
  capacity: Capacity,
  uses: readonly One[],
): readonly One[] => {
  let there: Use[] = [];
  return uses
    .toSorted((a, b) => a.from - b.from)
    .filter((use) => {
      there = there.filter(({ to }) => to > use.from);
      const loads = there.map(({ app }) => ({ ...needsOf(capacity, app), card: card.index }));
      if (!fitsOn(card, loads, needsOf(capacity, use.app))) return true;
      there.push(use);
      return false;
    });
};
