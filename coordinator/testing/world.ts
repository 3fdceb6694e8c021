import { expect } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { silentLog } from '../../shared/log.ts';
import { AGENT_LINK_VERSION, type toAgent } from '../../shared/protocol/agent-link.ts';
import type { Participation } from '../../shared/protocol/http.ts';
import type { MessageOf } from '../../shared/protocol/message.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { fakeIds } from '../../shared/testing/ids.ts';
import { hostHello, hostReports } from '../fleet/fleet.ts';
import { openWorld } from '../open.ts';
import { slot_ms } from '../seats/rules-slots.ts';
import type { Link, World } from '../sessions/live.ts';
import { issueTicket, memberOf, playerAnswered, useTicket } from '../sessions/members.ts';
import { createSession } from '../sessions/starts.ts';
import type { Database } from '../store/database.ts';
import { memoryBus } from './bus.ts';
import { memoryDatabase } from './database.ts';
import { account } from './rows.ts';
import { entry, keyOf, memoryStore } from './store.ts';

export const minute_ms = 60_000;
type Order = MessageOf<typeof toAgent>;

/** The line of servers.json about the host "a". */
export const entryOfA = (info: object = {}) => entry('a', 'Loft', { max_minutes: 90, ...info });

/** A world with the host "a", two seats of the app Loft, and what the host was ordered. */
export const worldUnderTest = async (
  info: object = {},
  db = memoryDatabase(),
  clock = fakeClock(),
  seats = 2,
  patch: object = {},
) => {
  const store = memoryStore([entryOfA(info)], patch);
  const world = await openWorld({
    db,
    store,
    files: store,
    clock,
    bus: memoryBus(clock),
    ids: fakeIds(),
    log: silentLog,
  });
  const orders: Order[] = [];
  const link: Link = {
    epoch: 1,
    send: (order) => void orders.push(order),
    resumes: true,
    answers: false,
    drains: false,
    openChannel: () => ({ data: () => {}, close: () => {} }),
    close: () => {},
  };
  const hello = (sessions: Parameters<typeof hostHello>[3]['sessions'] = []) =>
    hostHello(
      world,
      link,
      keyOf('a'),
      { verb: 'HELLO', protocol: AGENT_LINK_VERSION, server_name: 'a', seats, apps: ['Loft'], sessions },
      () => {},
    );
  hello();
  await db.transact(async ({ accounts }) => {
    if ((await accounts.get({ id: 'account-1' })) === undefined) await accounts.insert(account(1));
  });
  return { world, clock, db, orders, link, hello };
};

/** A session that was created, where a refusal would be the test's fault. */
export const started = async (world: World, request: object = {}): Promise<Participation> => {
  const answer = await createSession(world, { app: 'Loft', ...request });
  if (isRefusal(answer)) throw new Error(answer.refused);
  return answer;
};
export const member = (world: World, { session, participant_token }: Participation) => {
  const found = memberOf(world, session.id, participant_token);
  if (isRefusal(found)) throw new Error(found.refused);
  return found;
};
/** What the host says of the session. */
export const report = (world: World, link: Link, id: string, event: Parameters<typeof hostReports>[4]) =>
  hostReports(world, 'a', link, { session_id: id, generation: 1 }, event);
export const ready = (world: World, link: Link, id: string) =>
  report(world, link, id, { type: 'progressed', phase: 'ready' });
/** The participant's page opens a signalling connection and answers the stream. */
export const connect = (world: World, one: Participation) => {
  const ticket = issueTicket(world, member(world, one));
  if (isRefusal(ticket)) throw new Error(ticket.refused);
  expect(isRefusal(useTicket(world, one.session.id, ticket.ticket))).toBe(false);
  playerAnswered(world, one.session.id, one.participant_id);
};
export const slots = (db: Database) => db.read((tables) => tables.seat_slots.find({}));
/** Somebody holds the seat for a while that begins so many slots after the present one. */
export const hold = (
  db: Database,
  clock: { now(): number },
  seat: number,
  from: number,
  count: number,
  holder = 'booking-1',
) =>
  db.transact(({ seat_slots }) =>
    seat_slots.insert(
      ...Array.from({ length: count }, (_, at) => ({
        host: 'a',
        seat,
        slot_at: (Math.floor(clock.now() / slot_ms) + from + at) * slot_ms,
        holder,
        app: 'Loft',
      })),
    ),
  );
