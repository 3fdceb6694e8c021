import { counted } from '../../shared/counted.ts';
import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import type { Booked, Bookings, BookingView, CreateBooking } from '../../shared/protocol/bookings.ts';
import { checkQuota } from '../accounts/quotas.ts';
import { once, type Reply, repeatableOf } from '../kit/idempotency.ts';
import { bounds } from '../kit/limits.ts';
import { emit } from '../kit/outbox.ts';
import { instantOf, type Period } from '../kit/rules-time.ts';
import { hashOf } from '../kit/secrets.ts';
import type { Services } from '../kit/services.ts';
import { type Budget, takeHits } from '../kit/throttle.ts';
import { noteStranger } from '../seats/stranger-rows.ts';
import type { Account, AppRow, Booking, ReadTables, Tables } from '../store/tables.ts';
import { holdSeat, lockSeat, untilSettled } from './choose.ts';
import { takeCode } from './codes.ts';
import { bookableHosts, rememberBooked } from './plans.ts';
import { type Asking, type BookingState, defaultMinutes, holds, mayChange, visitOf } from './rules.ts';
import { bookingSettings } from './settings.ts';
import { strangerMayBook } from './strangers.ts';
import { bookingEventData, describeBooking } from './view.ts';

/** Who asks for something about bookings. */
export interface Visitor {
  readonly account?: Account | undefined;
  /** The token of a booking that was made without an account. */
  readonly token?: string | undefined;
  /** Whom the caller is counted as: see `networkOf`. */
  readonly network: string;
  /** The address of the site, for links. */
  readonly base: string;
}

/** The app, if this visitor may start it. */
const startableApp = async (
  { apps }: Pick<ReadTables, 'apps'>,
  name: string,
  account: Account | undefined,
): Promise<AppRow | Refusal> => {
  const app = await apps.get({ name });
  if (app === undefined) return refuse('app_unknown');
  if (!app.enabled) return refuse('app_disabled');
  return app.who_may_start === 'accounts' && account === undefined ? refuse('account_required') : app;
};

/** Locks the account, and refuses what goes beyond its bookings and quota. `but` is a booking that does not count. */
export const accountMay = async (
  services: Services,
  tables: Tables,
  account_id: string,
  { app, visit, but }: { app: AppRow; visit: Period; but?: string },
): Promise<Refusal | undefined> => {
  const account = await tables.accounts.lock({ id: account_id });
  if (account === undefined || account.state !== 'approved') return refuse('account_required');
  const { held_per_account } = bookingSettings(services);
  const held = await tables.bookings.count({ account_id, state: { in: ['held', 'open'] } });
  if (but === undefined && held >= held_per_account) {
    return refuse('quota_exceeded', `${counted(held, 'booking')} held; ${held_per_account} at most`);
  }
  const minutes = (visit.to - visit.from) / 60_000;
  const changed = but === undefined ? {} : { but };
  return checkQuota(services, tables, { account, app, at: visit.from, minutes, ...changed });
};

/** What is stored of an order that may be. */
interface Order {
  readonly app: AppRow;
  readonly visit: Period;
  readonly zone: string;
  readonly title: string | null;
}

const orderOf = async (
  services: Services,
  tables: Pick<ReadTables, 'apps'>,
  { app: name, date, time, zone, which, minutes, title }: CreateBooking,
  account: Account | undefined,
): Promise<Order | Refusal> => {
  const app = await startableApp(tables, name, account);
  if (isRefusal(app)) return app;
  const local = { date, time, zone: zone ?? services.store.configuration().time_zone };
  const starts_at = instantOf(which === undefined ? local : { ...local, which });
  if (isRefusal(starts_at)) return starts_at;
  const length = minutes ?? defaultMinutes(app);
  const visit = visitOf(starts_at, length, app, services.clock.now(), bookingSettings(services));
  return isRefusal(visit) ? visit : { app, visit, zone: local.zone, title: title ?? null };
};

/** What counts the bookings that an account makes and cancels. */
export const bookingBudget = (account_id: string): string => `bookings of ${account_id}`;

/**
 * What an account, or a network without one, may book in a day, whether it cancels or not: each booking uses a code up for
 * a while.
 */
const madeBudget = (services: Services, { account, network }: Visitor): Budget => {
  const { held_per_account, anonymous_per_network } = bookingSettings(services);
  const window_ms = bounds.bookings_made_ms;
  if (account === undefined) {
    return { name: `bookings from ${network}`, window_ms, most: anonymous_per_network };
  }
  // Who may hold more may make as many.
  const most = Math.max(bounds.bookings_made_per_day, held_per_account);
  return { name: bookingBudget(account.id), window_ms, most };
};

/** Stores the booking of an order; the transaction of `book`. */
const place = async (
  services: Services,
  tables: Tables,
  { app, visit, zone, title }: Order,
  visitor: Visitor,
  taken: ReadonlySet<string>,
): Promise<{ booking: Booking; token?: string } | Refusal> => {
  const { clock, ids, store } = services;
  const { account } = visitor;
  const refused =
    account === undefined ? undefined : await accountMay(services, tables, account.id, { app, visit });
  if (refused !== undefined) return refused;
  const id = ids.id();
  const able = await bookableHosts(tables, app);
  if (able.length === 0) return refuse('app_offline');
  const hosts = able.filter(({ name }) => !taken.has(name));
  const wanted = { app: app.name, visit, holder: id };
  const seat = await lockSeat(services, tables, hosts, { ...wanted, again: taken.size > 0 });
  if (seat === undefined) return refuse('time_taken');
  const { network } = visitor;
  const share =
    account === undefined
      ? await strangerMayBook(services, tables, { network, host: seat.host, visit })
      : undefined;
  if (share !== undefined) return share;
  const made = madeBudget(services, visitor);
  if (!(await takeHits(tables, [made], clock.now()))) {
    const hint = account === undefined ? 'log in to book more' : 'try later';
    return refuse(
      'quota_exceeded',
      `${counted(made.most, 'booking')} made within a day, cancelled ones too; ${hint}`,
    );
  }
  const code = await takeCode(services, tables, id, store.configuration().code_digits);
  if (isRefusal(code)) return code;
  const token = account === undefined ? ids.secret() : undefined;
  const booking: Booking = {
    id,
    app: app.name,
    account_id: account?.id ?? null,
    ...seat,
    starts_at: visit.from,
    ends_at: visit.to,
    zone,
    code,
    invite: ids.id(),
    token_hash: token === undefined ? null : hashOf(token),
    state: 'held',
    session_id: null,
    title,
    unplaceable_at: null,
    created_at: clock.now(),
    version: 1,
  };
  await tables.bookings.insert(booking);
  if (account === undefined) {
    await noteStranger(tables, { holder: id, kind: 'booking', network, expires_at: visit.to });
  }
  await holdSeat(tables, seat, wanted);
  await emit(services, tables, 'booking.created', bookingEventData(booking));
  return token === undefined ? { booking } : { booking, token };
};

/** Books in a transaction of its own until nobody is quicker; `within` may wrap what is done in it. */
const settleOrder = async <T>(
  services: Services,
  wanted: CreateBooking,
  visitor: Visitor,
  within: (tables: Tables, place: () => Promise<Booked | Refusal>) => Promise<T | Refusal>,
): Promise<T | Refusal> => {
  let stored: Booking | undefined;
  const made = await untilSettled((taken) =>
    services.db.transact((tables) => {
      stored = undefined;
      return within(tables, async () => {
        const order = await orderOf(services, tables, wanted, visitor.account);
        const placed = isRefusal(order) ? order : await place(services, tables, order, visitor, taken);
        if (isRefusal(placed)) return placed;
        const { booking, token } = placed;
        stored = booking;
        return { ...describeBooking(booking, visitor.base), ...(token === undefined ? {} : { token }) };
      });
    }),
  );
  if (stored !== undefined) {
    const { starts_at, ends_at, app } = stored;
    rememberBooked(services, stored, { from: starts_at, to: ends_at, app });
  }
  return made ?? refuse('time_taken');
};

/**
 * Books a seat for the visitor. Refuses app_unknown, app_disabled, account_required, malformed, time_skipped,
 * time_ambiguous, time_past, app_offline, time_taken, quota_exceeded and codes_used_up.
 */
export const planBooking = (
  services: Services,
  wanted: CreateBooking,
  visitor: Visitor,
): Promise<Booked | Refusal> => settleOrder(services, wanted, visitor, (_, place) => place());

/**
 * The same for a request that may be repeated: with a key it makes one booking. The reply's body is a Booked. Refuses
 * idempotency_mismatch too.
 */
export const book = (
  services: Services,
  wanted: CreateBooking,
  visitor: Visitor,
  key?: string,
): Promise<Reply | Refusal> => {
  const request = repeatableOf('bookings', visitor, key, wanted);
  return settleOrder(services, wanted, visitor, (tables, place) =>
    once(services, tables, request, async () => {
      const body = await place();
      return isRefusal(body) ? body : { status: 201, body };
    }),
  );
};

/** Whether the visitor is who has the booking, and not an operator who may change it too. */
export const isHolder = (booking: Booking, visitor: Visitor): boolean => holds(booking, askingOf(visitor));

const askingOf = ({ account, token }: Pick<Visitor, 'account' | 'token'>): Asking => ({
  account,
  token_hash: token === undefined ? undefined : hashOf(token),
});

/** The booking, if the visitor may see it; booking_unknown for everybody else. */
export const findBooking = async (
  { bookings }: Pick<ReadTables, 'bookings'>,
  id: string,
  visitor: Pick<Visitor, 'account' | 'token'>,
): Promise<Booking | Refusal> => {
  const booking = await bookings.get({ id });
  return booking !== undefined && mayChange(booking, askingOf(visitor)) ? booking : refuse('booking_unknown');
};

export const getBooking = (services: Services, id: string, visitor: Visitor): Promise<Booking | Refusal> =>
  services.db.read((tables) => findBooking(tables, id, visitor));

/** The visitor's own booking; forbidden for who may only manage it, booking_unknown for everybody else. */
export const ownBooking = async (
  services: Services,
  id: string,
  visitor: Visitor,
): Promise<Booking | Refusal> => {
  const booking = await getBooking(services, id, visitor);
  return isRefusal(booking) || holds(booking, askingOf(visitor)) ? booking : refuse('forbidden');
};

/** What a list is to show. Without `account_id` the bookings of everybody. */
export interface BookingFilter {
  readonly account_id?: string | undefined;
  readonly app?: string | undefined;
  readonly host?: string | undefined;
  readonly state?: BookingState | undefined;
  /** Those that begin in this time, epoch ms. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly limit?: number | undefined;
  /** The id of the last booking of the page before. */
  readonly after?: string | undefined;
}

/** Bookings by their beginning, and the id after which the next page begins. */
export const listBookings = async (
  { db }: Pick<Services, 'db'>,
  { account_id, app, host, state, from = 0, to, limit = bounds.bookings_per_page, after }: BookingFilter,
  base: string,
): Promise<Bookings | Refusal> => {
  const where = {
    ...(account_id === undefined ? {} : { account_id }),
    ...(app === undefined ? {} : { app }),
    ...(host === undefined ? {} : { host }),
    ...(state === undefined ? {} : { state }),
    starts_at: to === undefined ? { from } : { from, to },
  };
  const most = Math.min(limit, bounds.bookings_per_page_most);
  return db.read(async ({ bookings }) => {
    const last = after === undefined ? undefined : await bookings.get({ id: after });
    if (after !== undefined && last === undefined) return refuse('malformed', 'after: no such booking');
    const page = last === undefined ? {} : { after: last };
    const rows = await bookings.find(where, { order: ['starts_at'], limit: most + 1, ...page });
    const shown = rows.slice(0, most).map((row): BookingView => describeBooking(row, base));
    return { bookings: shown, next: rows.length > most ? (shown.at(-1)?.id ?? null) : null };
  });
};
