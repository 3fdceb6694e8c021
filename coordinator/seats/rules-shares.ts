import { type Refusal, refuse, refuseFor } from '../../shared/errors.ts';
import type { Period } from '../kit/rules-time.ts';

/** What callers without an account may have, as the operator set it. */
export interface Shares {
  /** Live sessions, places in queues and bookings to come of one network; of an IPv6 /48 four times as many. */
  readonly sessions_of_network: number;
  readonly queue_places_of_network: number;
  readonly bookings_of_network: number;
  /** Sessions that nobody came to, in half an hour, before a network has to wait. */
  readonly unused_of_network: number;
  /** Parts in percent: of an app's seats for one network, and for all; of a queue; of an app's calendar. */
  readonly network_percent: number;
  readonly seats_percent: number;
  readonly queue_percent: number;
  readonly calendar_percent: number;
}

/** So many networks does a /48 count as. */
const networks_of_wide = 4;

/** How many of so many the part is: rounded down, so that something is left, but one at least, so that a single seat can be had. */
export const partOf = (whole: number, percent: number): number =>
  percent >= 100 ? whole : Math.max(1, Math.floor((whole * percent) / 100));

/** What a caller's network and its /48 have already. For an address without a /48 both are the same. */
export interface Held<T> {
  readonly own: readonly T[];
  readonly wide: readonly T[];
}

/** Whether the network, or its /48, has as many as it may. */
export const hasMost = ({ own, wide }: Held<unknown>, most: number): boolean =>
  own.length >= most || wide.length >= most * networks_of_wide;

/** A live session of a stranger. */
export interface StrangersSession {
  readonly id: string;
  readonly host: string;
  readonly ends_at: number;
}

/** The hosts of an app, and how many seats it has on them. */
export interface Pool {
  readonly hosts: ReadonlySet<string>;
  readonly seats: number;
}

/** The refusal, with when the first of these sessions ends at the latest. */
const until = (
  refused: 'visitor_share' | 'visitors_full',
  sessions: readonly StrangersSession[],
  now: number,
): Refusal => {
  const detail = `${sessions.length} sessions run`;
  if (sessions.length === 0) return refuse(refused, detail);
  return refuseFor(refused, Math.min(...sessions.map(({ ends_at }) => ends_at)) - now, detail);
};

/**
 * Why a stranger may not start one more session on a host that is in each of `pools`, if it may not: its network has its
 * share, of all or of the seats of an app, or strangers together have theirs. What counts is whose seats they are, whatever
 * app they run.
 */
export const startRefusal = (
  all: readonly StrangersSession[],
  held: Held<StrangersSession>,
  pools: readonly Pool[],
  { sessions_of_network, network_percent, seats_percent }: Shares,
  now: number,
): Refusal | undefined => {
  if (hasMost(held, sessions_of_network)) return until('visitor_share', held.wide, now);
  for (const { hosts, seats } of pools) {
    const there = ({ host }: StrangersSession) => hosts.has(host);
    const near = held.wide.filter(there);
    if (near.length + 1 > partOf(seats, network_percent)) return until('visitor_share', near, now);
    const taken = all.filter(there);
    if (taken.length + 1 > partOf(seats, seats_percent)) return until('visitors_full', taken, now);
  }
  return undefined;
};

const day_ms = 86_400_000;

const overlap = (a: Period, b: Period): number =>
  Math.max(0, Math.min(a.to, b.to) - Math.max(a.from, b.from));

/** The most of the visits that are at the same moment of the period. */
const peakOf = (visits: readonly Period[], period: Period): number => {
  const within = visits.filter((visit) => overlap(visit, period) > 0);
  // The number grows only where a visit begins.
  const moments = [period.from, ...within.map(({ from }) => Math.max(from, period.from))];
  return Math.max(...moments.map((at) => within.filter(({ from, to }) => from <= at && at < to).length));
};

/**
 * Why strangers may not have this time beside their other bookings of a calendar with so many seats, if they may not: at no
 * moment more seats than their part, and of each day (UTC) no more than their part of its time.
 */
export const calendarRefusal = (
  booked: readonly Period[],
  visit: Period,
  seats: number,
  percent: number,
): Refusal | undefined => {
  const full = refuse('visitors_full', 'this part of the calendar; choose another day, or log in');
  if (percent >= 100) return undefined;
  if (peakOf(booked, visit) + 1 > partOf(seats, percent)) return full;
  for (let from = Math.floor(visit.from / day_ms) * day_ms; from < visit.to; from += day_ms) {
    const day = { from, to: from + day_ms };
    const taken = [...booked, visit].reduce((sum, one) => sum + overlap(one, day), 0);
    if (taken > (seats * day_ms * percent) / 100) return full;
  }
  return undefined;
};
