import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { type Participation, participationSchema } from '../../shared/protocol/http.ts';
import { checkQuota } from '../accounts/quotas.ts';
import { occupySeat } from '../bookings/choose.ts';
import { takeCode } from '../bookings/codes.ts';
import { once, type Repeatable, repeatOf } from '../kit/idempotency.ts';
import { bounds } from '../kit/limits.ts';
import { emit } from '../kit/outbox.ts';
import { hashOf } from '../kit/secrets.ts';
import { holdsOf } from '../seats/holds.ts';
import type { Hosts } from '../seats/hosts.ts';
import { takeTurn } from '../seats/queue.ts';
import { seatsFor } from '../seats/rules-allocation.ts';
import type { Hold } from '../seats/rules-plans.ts';
import { noteStranger, unusedUntil } from '../seats/stranger-rows.ts';
import { strangerMayStart } from '../seats/strangers.ts';
import { Taken } from '../store/database.ts';
import type { Account, Tables } from '../store/tables.ts';
import { tellOfRow } from './hints.ts';
import { begin, type World } from './live.ts';
import { rowOf, sessionEvent } from './rows.ts';
import { openSession, type Step } from './rules-session.ts';
import { lockBestSeat, occupancy, type Wanted } from './seating.ts';
import { sessionSettings } from './settings.ts';
import { participation } from './view.ts';

const minute_ms = 60_000;

export interface StartRequest {
  readonly app: string;
  /** Who is logged in. */
  readonly account?: Account | undefined;
  /** Whom the caller is counted as without one: see `networkOf`. */
  readonly network?: string | undefined;
  /** How long it may last; the app's usual length without it. */
  readonly minutes?: number | undefined;
  /** In which the app is to greet them. */
  readonly language?: string | undefined;
  /** The place in the queue to which a seat was offered. */
  readonly queue?: { readonly id: string; readonly token: string } | undefined;
  /** By what a request that is sent again is known. */
  readonly repeatable?: Repeatable;
}

interface Plan extends Wanted {
  readonly request: StartRequest;
  readonly owner: { readonly id: string; readonly token_hash: string };
  /** The owner's token. */
  readonly token: string;
}

/** The session on the best seat of the host, stored, where there is room and the caller may; undefined where there is none. */
const place = async (
  world: World,
  tables: Tables,
  name: string,
  plan: Plan,
): Promise<Step | Refusal | undefined> => {
  const { app, now, to, owner, request } = plan;
  const account = request.account && (await tables.accounts.lock({ id: request.account.id }));
  if (request.account !== undefined && account?.state !== 'approved') return refuse('account_required');
  const seat = await lockBestSeat(world, tables, name, plan);
  if (seat === undefined) return undefined;
  const minutes = Math.ceil((seat.until - now) / minute_ms);
  const { network } = request;
  const stranger = account === undefined && network !== undefined ? { host: name, network } : undefined;
  const spent =
    account === undefined
      ? stranger && (await strangerMayStart(world, tables, stranger))
      : await checkQuota(world, tables, { account, app, at: now, minutes });
  const refused = spent ?? (await takeTurn(world, tables, app.name, { claim: request.queue, account }));
  if (refused !== undefined) return refused;
  const id = world.ids.id();
  const code = await takeCode(world, tables, id, sessionSettings(world).code_digits);
  if (isRefusal(code)) return code;
  const step = openSession(
    {
      id,
      app: app.name,
      host: name,
      seat: seat.seat,
      account_id: account?.id ?? null,
      booking_id: null,
      code,
      language: request.language ?? null,
      invite: world.ids.id(),
      lobby: app.lobby,
      ends_at: seat.until,
      longest_end: now + app.max_minutes * minute_ms,
      cut_short: seat.until < to,
      idle_ms: app.idle_seconds * 1_000,
      awaited_until: null,
      owner,
    },
    now,
    sessionSettings(world),
  );
  await occupySeat(tables, seat, { app: app.name, visit: { from: now, to: seat.until }, holder: id });
  await tables.sessions.insert({ ...rowOf(step.session, now), version: 1 });
  if (stranger !== undefined) {
    const expires_at = unusedUntil(step.session.longest_end);
    await noteStranger(tables, { holder: id, kind: 'session', network: stranger.network, expires_at });
  }
  await emit(world, tables, 'session.started', sessionEvent(step.session));
  return step;
};

/** What came of trying one host. `repeated`: the request had been carried out before. */
type Attempt = { readonly step: Step } | { readonly repeated: Participation } | 'no room';

/** A request that nobody can send again. */
const singular: Repeatable = { scope: '', key: undefined, body_hash: '', answered: false };

/** Does the work while the host counts as one that gives a seat away. */
const countedIn = async <T>({ starting }: World, host: string, work: () => Promise<T>): Promise<T> => {
  starting.set(host, (starting.get(host) ?? 0) + 1);
  try {
    return await work();
  } finally {
    const left = (starting.get(host) ?? 0) - 1;
    if (left > 0) starting.set(host, left);
    else starting.delete(host);
  }
};

/** Tries one host: in its lock the seat is chosen, and everything about the session stored at once. */
const startOn = async (world: World, name: string, plan: Plan): Promise<Attempt | Refusal> => {
  const { request, owner, token } = plan;
  let made: Step | undefined;
  let full = false;
  const reply = await countedIn(world, name, () =>
    world.db.transact((tables) =>
      once(world, tables, request.repeatable ?? singular, async () => {
        [made, full] = [undefined, false];
        const step = await place(world, tables, name, plan).catch((error: unknown) => {
          // Another coordinator was there first.
          if (error instanceof Taken) return undefined;
          throw error;
        });
        full = step === undefined;
        if (step === undefined) return refuse('servers_busy');
        if (isRefusal(step)) return step;
        made = step;
        return { status: 201, body: participation(world, step.session, owner.id, token, true) };
      }),
    ),
  );
  if (full) return 'no room';
  if (isRefusal(reply)) return reply;
  return made === undefined ? { repeated: participationSchema.parse(reply.body) } : { step: made };
};

/** Strangers have their share of what is on this host; on another one there may be more. */
const isShare = (answer: unknown): answer is Refusal =>
  isRefusal(answer) && (answer.refused === 'visitor_share' || answer.refused === 'visitors_full');

/** Where this coordinator's hosts have no seat to give, another one's may. */
const isNoSeat = (answer: unknown): answer is Refusal =>
  isShare(answer) ||
  (isRefusal(answer) && (answer.refused === 'app_offline' || answer.refused === 'servers_busy'));

/** Tries those of the hosts with free seats, best first, until one gives a seat. */
const tryHosts = async (
  world: World,
  hosts: Hosts,
  plan: Plan,
): Promise<Exclude<Attempt, 'no room'> | Refusal> => {
  const { app, now, to } = plan;
  const seatsBeside = (holds: readonly Hold[]) =>
    seatsFor(app.name, app, occupancy(world, hosts, holds, now), to);
  // Most often no booking is near: then the host that memory knows as the best is, and nothing need be read.
  const free = seatsBeside([]);
  if (isRefusal(free)) return free;
  const [best] = free;
  const first = best === undefined ? 'no room' : await startOn(world, best.host, { ...plan, short: false });
  let refused: Refusal | undefined;
  if (isShare(first)) refused = first;
  else if (first !== 'no room') return first;
  const holds = await world.db.read((tables) => holdsOf(tables, { host: { in: app.hosts } }, now, to));
  const seats = seatsBeside(holds);
  if (isRefusal(seats)) return seats;
  for (const { host } of seats.slice(0, bounds.hosts_tried)) {
    if (host === best?.host && refused !== undefined) continue;
    const attempt = await startOn(world, host, plan);
    if (isShare(attempt)) refused = attempt;
    else if (attempt !== 'no room') return attempt;
  }
  return refused ?? refuse('servers_busy');
};

/** What is asked for, once the catalogue allows it. */
const planStart = (world: World, request: StartRequest): Plan | Refusal => {
  const app = world.catalogue.now().apps.get(request.app);
  if (app === undefined) return refuse('app_unknown', request.app);
  if (app.who_may_start === 'accounts' && request.account === undefined) return refuse('account_required');
  const minutes = Math.min(request.minutes ?? app.default_minutes, app.max_minutes);
  const now = world.clock.now();
  const token = world.ids.secret();
  const owner = { id: world.ids.id(), token_hash: hashOf(token) };
  return { request, app, now, to: now + minutes * minute_ms, short: true, owner, token };
};

/** The answer to the same request before, if there was one: also when no seat is free any more, because of that one. */
const startedBefore = async (
  world: World,
  { repeatable = singular }: StartRequest,
): Promise<Participation | Refusal | undefined> => {
  if (repeatable.key === undefined) return undefined;
  const reply = await world.db.read((tables) => repeatOf(world, tables, repeatable));
  return reply === undefined || isRefusal(reply) ? reply : participationSchema.parse(reply.body);
};

const start = async (world: World, request: StartRequest): Promise<Participation | Refusal> => {
  const plan = planStart(world, request);
  if (isRefusal(plan)) return plan;
  const near = await tryHosts(world, world.hosts, plan);
  // A player of one that another coordinator has is relayed.
  const attempt =
    isNoSeat(near) && world.elsewhere.size > 0 ? await tryHosts(world, world.elsewhere, plan) : near;
  if (isRefusal(attempt))
    return attempt.refused === 'app_offline' ? (isRefusal(near) ? near : attempt) : attempt;
  if ('repeated' in attempt) return attempt.repeated;
  // The coordinator that has the host begins with what it finds in the row.
  if (world.hosts.has(attempt.step.session.host)) begin(world, attempt.step);
  else tellOfRow(world.bus, attempt.step.session);
  return participation(world, attempt.step.session, plan.owner.id, plan.token, true);
};

/**
 * Takes a seat and tells its host to start: everything is stored first. A booking that comes soon makes it shorter.
 * Refused with app_unknown, app_disabled, app_offline, account_required, quota_exceeded, servers_busy or codes_used_up.
 */
export const createSession = async (
  world: World,
  request: StartRequest,
): Promise<Participation | Refusal> => {
  const made = (await startedBefore(world, request)) ?? (await start(world, request));
  if (!isRefusal(made)) return made;
  // The same request may have been carried out since the first look.
  const answer = (await startedBefore(world, request)) ?? made;
  if (isRefusal(answer)) world.log.info({ app: request.app, ...answer }, 'no session was created');
  return answer;
};
