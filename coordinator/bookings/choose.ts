import { takesNew } from '../catalogue/rules.ts';
import { bounds } from '../kit/limits.ts';
import type { Period } from '../kit/rules-time.ts';
import type { Services } from '../kit/services.ts';
import { holdOf } from '../seats/holds.ts';
import { type CardPlan, fittingSeat, openSeats, planSeats, type Seat } from '../seats/rules-plans.ts';
import { slot_ms, slotsOf } from '../seats/rules-slots.ts';
import { Taken } from '../store/database.ts';
import { insert_rows } from '../store/table.ts';
import type { HostRow, Tables } from '../store/tables.ts';
import { cardsOf, changedHosts, PlansUnread, planChanged, rememberedPlans, seatsOf } from './plans.ts';

/** Somebody else was quicker: the transaction is rolled back and the whole decision taken again. */
export class Overtaken extends Error {
  override readonly name = 'Overtaken';
  readonly host: string;

  constructor(host: string) {
    super(`others were quicker on ${host}`);
    this.host = host;
  }
}

/** How often what a transaction needs is read for it: hosts may be added meanwhile. */
const reads_most = 5;

/**
 * Runs a transaction that chooses before it locks until nobody is quicker; undefined when that never happens. It is told
 * which hosts it chose before that turned out to be taken.
 */
export const untilSettled = async <T>(
  run: (taken: ReadonlySet<string>) => Promise<T>,
): Promise<T | undefined> => {
  const hosts = new Set<string>();
  let read = 0;
  for (let attempt = 0; attempt < bounds.seat_attempts; attempt++) {
    try {
      return await run(hosts);
    } catch (error) {
      if (error instanceof PlansUnread && read < reads_most) {
        await error.read();
        read += 1;
        attempt -= 1;
        continue;
      }
      // A unique row that somebody else stored first is the same: what is there now has to be looked at again.
      if (!(error instanceof Overtaken || error instanceof Taken)) throw error;
      if (error instanceof Overtaken) hosts.add(error.host);
    }
  }
  return undefined;
};

/** Locks hosts in the order of their keys; those that are gone are left out. */
export const lockHosts = async (
  { hosts }: Pick<Tables, 'hosts'>,
  names: readonly string[],
): Promise<Map<string, HostRow>> => {
  const locked = new Map<string, HostRow>();
  for (const name of [...new Set(names)].sort()) {
    const host = await hosts.lock({ name });
    if (host !== undefined) locked.set(name, host);
  }
  return locked;
};

const at = (slot: number): number => slot * slot_ms;

/** A visit that looks for a seat. */
interface Wanted {
  readonly app: string;
  readonly visit: Period;
  /** What it holds itself does not stand in its way. */
  readonly holder: string;
}

/** The seats of the host that may be had for the visit as things are stored; complete under the host's lock only. */
const openNow = async (
  { seat_slots }: Pick<Tables, 'seat_slots'>,
  host: HostRow,
  { app, visit, holder }: Wanted,
): Promise<ReadonlySet<number>> => {
  const slots = slotsOf(visit);
  const held = await seat_slots.find({
    host: host.name,
    seat: { in: Array.from({ length: host.seats }, (_, seat) => seat) },
    slot_at: { from: at(slots[0] ?? 0), to: at((slots.at(-1) ?? 0) + 1) },
  });
  const holds = held.filter((slot) => slot.holder !== holder).map(holdOf);
  const cards = cardsOf(host, planSeats(seatsOf(host), holds));
  return new Set(openSeats(cards, app, visit).map(({ seat }) => seat));
};

/** Only these seats of the host. */
const only = (cards: readonly CardPlan[], host: string, seats: ReadonlySet<number>): CardPlan[] =>
  cards.map((card) => ({
    ...card,
    seats: card.seats.filter((plan) => plan.host === host && seats.has(plan.seat)),
  }));

/**
 * The seat of the plans that fits the visit best, of a host that is locked now; undefined when none does. `also` is a
 * further host to lock. Throws Overtaken when the seat is taken by now.
 */
const lockFittingSeat = async (
  tables: Pick<Tables, 'hosts' | 'seat_slots'>,
  cards: readonly CardPlan[],
  wanted: Wanted,
  also: readonly string[],
): Promise<Seat | undefined> => {
  const { app, visit } = wanted;
  const seat = fittingSeat(cards, app, visit);
  if (seat === undefined) return undefined;
  const locked = await lockHosts(tables, [seat.host, ...also]);
  const host = locked.get(seat.host);
  if (host === undefined || !takesNew(host) || host.seats <= seat.seat) throw new Overtaken(seat.host);
  const open = await openNow(tables, host, wanted);
  if (open.has(seat.seat)) return seat;
  // Another seat of the same host will do: it is locked already.
  const others = only(cards, seat.host, open);
  const [spare] = others.flatMap(({ seats }) => seats);
  if (spare === undefined) throw new Overtaken(seat.host);
  return fittingSeat(others, app, visit) ?? { host: spare.host, seat: spare.seat };
};

/**
 * Locks the seat that fits the visit best, as `lockFittingSeat`: chosen by what is remembered of the hosts' bookings.
 * Where that finds none, or was wrong the last time (`again`), any seat that is free then. `adjust` may change the plans.
 */
export const lockSeat = async (
  services: Pick<Services, 'db' | 'clock'>,
  tables: Tables,
  hosts: readonly HostRow[],
  {
    again,
    adjust = (cards) => cards,
    also = [],
    ...wanted
  }: Wanted & {
    readonly again: boolean;
    readonly adjust?: (cards: readonly CardPlan[]) => readonly CardPlan[];
    readonly also?: readonly string[];
  },
): Promise<Seat | undefined> => {
  if (!again) {
    const cards = adjust(await rememberedPlans(services, tables, hosts));
    const seat = await lockFittingSeat(tables, cards, wanted, also);
    if (seat !== undefined) return seat;
  }
  for (const host of again ? hosts : await changedHosts(services, tables, hosts)) {
    const open = await openNow(tables, host, wanted);
    const free = only(cardsOf(host, planSeats(seatsOf(host), [])), host.name, open);
    if (open.size > 0) return lockFittingSeat(tables, free, wanted, also);
  }
  return undefined;
};

/**
 * Takes the seat for a session; under the host's lock. Throws Taken when somebody holds a part of that time. The host's
 * plan of bookings stays as it is.
 */
export const occupySeat = async (
  { seat_slots }: Pick<Tables, 'seat_slots'>,
  { host, seat }: Seat,
  { app, visit, holder }: Wanted,
): Promise<void> => {
  const rows = slotsOf(visit).map((slot) => ({ host, seat, slot_at: at(slot), holder, app }));
  for (let from = 0; from < rows.length; from += insert_rows) {
    await seat_slots.insert(...rows.slice(from, from + insert_rows));
  }
};

/** Takes the seat for a booking; under the host's lock. Throws Taken when somebody holds a part of that time. */
export const holdSeat = async (
  tables: Pick<Tables, 'seat_slots' | 'counters'>,
  seat: Seat,
  wanted: Wanted,
): Promise<void> => {
  await occupySeat(tables, seat, wanted);
  await planChanged(tables, seat.host);
};

/** Gives all slots of the booking back; under the host's lock. */
export const freeSeat = async (
  tables: Pick<Tables, 'seat_slots' | 'counters'>,
  host: string,
  holder: string,
): Promise<void> => {
  await tables.seat_slots.remove({ holder });
  await planChanged(tables, host);
};
