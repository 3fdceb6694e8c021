import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { startMariadb } from '../../shared/testing/mariadb.ts';
import { seeded } from '../../shared/testing/random.ts';
import { availability } from '../bookings/availability.ts';
import { planBooking } from '../bookings/bookings.ts';
import { hostChanged } from '../bookings/evacuation.ts';
import { cancelBooking, moveBooking } from '../bookings/moves.ts';
import { tickBookings } from '../bookings/ticks.ts';
import { readCatalogue } from '../catalogue/catalogue.ts';
import { createEvacuations } from '../fleet/evacuations.ts';
import { tick } from '../fleet/fleet.ts';
import { changeHost } from '../fleet/hosts.ts';
import { bookingNeeds, startBooked } from '../sessions/booked.ts';
import { extendSession, offerExtensions } from '../sessions/extensions.ts';
import { issueTicket, memberOf, noteActivity, playerAnswered, useTicket } from '../sessions/members.ts';
import { createSession } from '../sessions/starts.ts';
import { cardFaults } from '../testing/card-faults.ts';
import { cardFleet, cards } from '../testing/card-fleet.ts';
import { openMigrated } from '../testing/mysql.ts';

setDefaultTimeout(120_000);

const minute_ms = 60_000;
type Fleet = Awaited<ReturnType<typeof cardFleet>>;

const drain = async (world: Fleet['world'], name: string, draining_cards: number[]): Promise<void> => {
  const row = await world.db.read(({ hosts }) => hosts.get({ name }));
  const changed = await changeHost(world, 'account-1', name, row?.version ?? 0, { draining_cards });
  if (isRefusal(changed)) throw new Error(changed.refused);
  world.catalogue.put(await readCatalogue(world));
};

let visitors = 0;

/** Books so many minutes after the fleet's next full hour, by somebody new. */
const book = async ({ world }: Fleet, app: string, at: number, minutes = 60) => {
  visitors += 1;
  const wanted = {
    ...{ app, zone: 'UTC', minutes },
    date: '2026-11-02',
    time: new Date(Date.UTC(2026, 10, 2, 10) + at * minute_ms).toISOString().slice(11, 16),
  };
  return planBooking(world, wanted, { network: `network-${visitors}`, base: 'https://vitrina.example' });
};

const bookedOn = async ({ world }: Fleet, id: string) =>
  world.db.read(({ bookings }) => bookings.get({ id }));

/** What may happen in an afternoon, at random. */
const afternoon = (fleet: Fleet, seed: number) => {
  const { world, clock, a, b } = fleet;
  const random = seeded(seed);
  const bookings: { id: string; token: string; version: number }[] = [];
  const members: { id: string; token: string }[] = [];
  const evacuate = createEvacuations(world);
  const needs = bookingNeeds(world);
  const app = () => random.pick(['Loft', 'Villa']);
  let started = 0;
  let made = 0;
  let extended = 0;
  const actions: (() => Promise<unknown>)[] = [
    async () => {
      const begun = await createSession(world, { app: app(), minutes: 10 + 5 * random.below(12) });
      if (isRefusal(begun)) return;
      started += 1;
      members.push({ id: begun.session.id, token: begun.participant_token });
    },
    async () => {
      const done = await book(fleet, app(), 15 * random.below(20), 15 * (1 + random.below(6)));
      if (isRefusal(done)) return;
      made += 1;
      bookings.push({ id: done.id, token: done.token ?? '', version: done.version });
    },
    async () => {
      const one = bookings[random.below(bookings.length + 1)];
      if (one === undefined) return;
      const visitor = { token: one.token, network: '', base: 'https://vitrina.example' };
      const time = { date: '2026-11-02', time: `${10 + random.below(6)}:${random.pick(['00', '30'])}` };
      const version = (await bookedOn(fleet, one.id))?.version ?? 0;
      if (random.below(3) === 0) await cancelBooking(world, one.id, visitor, version);
      else await moveBooking(world, one.id, time, visitor, version);
    },
    async () => {
      clock.advance((1 + random.below(9)) * minute_ms);
      tick(world);
      await tickBookings(needs);
      await offerExtensions(world);
    },
    async () => {
      for (const agent of [a, b]) for (const id of agent.running.keys()) agent.ready(id);
      for (const { id, token } of members) {
        const member = memberOf(world, id, token);
        if (isRefusal(member)) continue;
        if (!member.participant.came) {
          const ticket = issueTicket(world, member);
          if (!isRefusal(ticket)) useTicket(world, id, ticket.ticket);
          playerAnswered(world, id, member.participant.id);
        }
        noteActivity(world, member);
        if (!isRefusal(await extendSession(world, member))) extended += 1;
      }
    },
    async () => {
      for (const agent of [a, b]) {
        for (const id of agent.stopping) if (random.below(3) > 0) agent.stopped(id);
      }
      await Promise.all([...world.sessions.keys()].map((id) => world.saver.saved(id)));
    },
    async () => {
      await drain(world, 'a', [[], [0], [1]][random.below(3)] ?? []);
      await evacuate();
    },
  ];
  return {
    step: async () => actions[random.below(actions.length)]?.(),
    counts: () => ({ started, made, extended }),
  };
};

describe('createSession() and planBooking() on cards', () => {
  test('createSession(), planBooking() and all that follows never give a card more than fits', async () => {
    const all = { started: 0, made: 0, extended: 0, booked: 0 };
    for (let seed = 1; seed <= 12; seed++) {
      const fleet = await cardFleet();
      const { step, counts } = afternoon(fleet, seed);
      for (let round = 0; round < 300; round++) {
        await step();
        expect(await cardFaults(fleet.world)).toEqual([]);
        expect([...fleet.a.faults, ...fleet.b.faults]).toEqual([]);
      }
      const { started, made, extended } = counts();
      all.started += started;
      all.made += made;
      all.extended += extended;
      const rows = await fleet.db.read(({ sessions, records }) =>
        Promise.all([sessions.find({}), records.find({})]),
      );
      all.booked += rows.flat().filter(({ booking_id }) => booking_id !== null).length;
    }
    expect(Math.min(all.started, all.made, all.extended, all.booked)).toBeGreaterThan(20);
  });

  test('createSession(), planBooking() and all that follows do the same on MariaDB', async () => {
    await using server = await startMariadb();
    const db = await openMigrated(await server.createDatabase('cards'));
    try {
      const fleet = await cardFleet(db);
      const { step, counts } = afternoon(fleet, 5);
      for (let round = 0; round < 100; round++) await step();
      expect(await cardFaults(fleet.world)).toEqual([]);
      expect([...fleet.a.faults, ...fleet.b.faults]).toEqual([]);
      expect(Math.min(counts().started, counts().made)).toBeGreaterThan(3);
      await fleet.world.saver.stop();
    } finally {
      await db.close();
    }
  });

  test('createSession() and planBooking() at once never give a card more than fits', async () => {
    const fleet = await cardFleet();
    const { world } = fleet;
    const asked = Array.from({ length: 30 }, (_, at) =>
      at % 2 === 0
        ? createSession(world, { app: at % 3 === 0 ? 'Villa' : 'Loft' })
        : book(fleet, at % 3 === 0 ? 'Villa' : 'Loft', -30),
    );
    const made = (await Promise.all(asked)).filter((one) => !isRefusal(one));
    expect(made.length).toBeGreaterThan(3);
    expect(await cardFaults(world)).toEqual([]);
    expect(fleet.a.faults).toEqual([]);
  });

  test('createSession() names the card and the language to the host', async () => {
    const { world, a, b } = await cardFleet();
    await createSession(world, { app: 'Villa', language: 'pt-BR' });
    await createSession(world, { app: 'Loft' });
    await createSession(world, { app: 'Loft' });
    const told = [...a.orders, ...b.orders].flatMap((order) =>
      'verb' in order && order.verb === 'CREATE_SESSION' ? [[order.rc_name, order.card, order.language]] : [],
    );
    expect(told).toEqual([
      ['Villa', 0, 'pt-BR'],
      ['Loft', 1, undefined],
      ['Loft', 0, undefined],
    ]);
  });

  test('planBooking() knows the cards of a host that is away', async () => {
    const fleet = await cardFleet();
    const { world, db } = fleet;
    const row = await db.read(({ hosts }) => hosts.get({ name: 'a' }));
    expect(JSON.parse(row?.capacity ?? '')).toMatchObject({ cards, placing: 'spread' });
    world.hosts.drop('a');
    const made = [];
    for (let n = 0; n < 5; n++) made.push(await book(fleet, 'Villa', 0));
    expect(made.map((one): string => (isRefusal(one) ? one.refused : 'booked'))).toEqual([
      ...['booked', 'booked', 'booked'],
      ...['time_taken', 'time_taken'],
    ]);
    const free = await availability(world, 'Loft', {
      from: '2026-11-02',
      to: '2026-11-02',
      zone: 'UTC',
      minutes: 60,
    });
    if (isRefusal(free)) throw new Error(free.refused);
    const at = Date.UTC(2026, 10, 2, 10);
    expect(free.free.find(({ from, to }) => from <= at && at < to)).toBeUndefined();
    expect(free.seats).toBe(6);
  });
});

/** A large booking at ten on seat 0 of the only card, and until then small sessions on seats 0 and 1 of it. */
const beforeTen = async () => {
  const fleet = await cardFleet();
  const { world, a } = fleet;
  await drain(world, 'a', [1]);
  const made = await book(fleet, 'Villa', 0);
  if (isRefusal(made)) throw new Error(made.refused);
  const begun = [];
  for (let n = 0; n < 3; n++) {
    const one = await createSession(world, { app: 'Loft', minutes: 50 });
    if (isRefusal(one)) throw new Error(one.refused);
    if (!a.running.has(one.session.id)) continue;
    a.ready(one.session.id);
    const owner = memberOf(world, one.session.id, one.participant_token);
    if (isRefusal(owner)) throw new Error(owner.refused);
    const ticket = issueTicket(world, owner);
    if (!isRefusal(ticket)) useTicket(world, one.session.id, ticket.ticket);
    playerAnswered(world, one.session.id, one.participant_id);
    begun.push(owner);
  }
  const [first, second] = begun;
  const row = await bookedOn(fleet, made.id);
  if (first === undefined || second === undefined || row === undefined) throw new Error('not there');
  expect([row.seat, first.session.seat, second.session.seat]).toEqual([0, 0, 1]);
  return { fleet, first, second, booking: { ...row, state: 'open' } as const };
};

describe('extendSession() and startBooked() on cards', () => {
  test('extendSession() goes no further than the card has room', async () => {
    const { fleet, second } = await beforeTen();
    const { world, clock } = fleet;
    clock.advance(45 * minute_ms);
    const ten = Date.UTC(2026, 10, 2, 10);
    expect(await extendSession(world, second)).toMatchObject({ ends_at: ten });
    const again = () => extendSession(world, { ...second, session: { ...second.session, ends_at: ten } });
    expect(await again()).toMatchObject({ refused: 'extension_early' });
    clock.advance(10 * minute_ms);
    expect(await again()).toEqual({ refused: 'extension_refused' });
    expect(await cardFaults(world)).toEqual([]);
  });

  test('startBooked() waits until the card has room', async () => {
    const { fleet, first, second, booking } = await beforeTen();
    const { world, clock, a } = fleet;
    await world.db.transact(({ bookings }) => bookings.update({ id: booking.id }, { state: 'open' }));
    clock.advance(60 * minute_ms);
    tick(world);
    expect([...a.stopping].sort()).toEqual([first.session.id, second.session.id].sort());
    a.stopped(first.session.id);
    expect(await startBooked(world, booking)).toMatchObject({ detail: 'the card is still in use' });
    a.stopped(second.session.id);
    expect(await startBooked(world, booking)).toBeString();
    expect(a.faults).toEqual([]);
  });

  test('startBooked() leaves what others hold of the card before its time', async () => {
    const fleet = await cardFleet();
    const { world, clock } = fleet;
    await drain(world, 'a', [1]);
    const [early, late] = [await book(fleet, 'Loft', 0, 30), await book(fleet, 'Villa', 30, 30)];
    if (isRefusal(early) || isRefusal(late)) throw new Error('refused');
    await world.db.transact(({ bookings }) => bookings.update({ id: late.id }, { state: 'open' }));
    clock.advance(59 * minute_ms);
    const row = await bookedOn(fleet, late.id);
    if (row === undefined) throw new Error('no booking');
    expect([row.host, row.seat]).not.toEqual(['b', 0]);
    expect(await startBooked(world, { ...row, seat: 1 })).toMatchObject({ refused: 'servers_busy' });
  });
});

describe('hostChanged() and cards', () => {
  test('hostChanged() moves bookings off a draining card, also to the other card of the host', async () => {
    const fleet = await cardFleet();
    const { world } = fleet;
    const made = [await book(fleet, 'Loft', 0), await book(fleet, 'Loft', 0)];
    const seats = async () =>
      Promise.all(
        made.map(async (one) => {
          const row = isRefusal(one) ? undefined : await bookedOn(fleet, one.id);
          return row && `${row.host}${row.seat}`;
        }),
      );
    expect(await seats()).toEqual(['a0', 'a3']);
    await drain(world, 'a', [0]);
    expect(await hostChanged(world, 'a')).toEqual({ moved: 1, lost: 0, kept: 0 });
    expect(await seats()).toEqual(['a4', 'a3']);
    expect(await hostChanged(world, 'a')).toEqual({ moved: 0, lost: 0, kept: 0 });
    await drain(world, 'a', [0, 1]);
    expect(await hostChanged(world, 'a')).toEqual({ moved: 1, lost: 1, kept: 0 });
    expect((await seats()).filter((seat) => seat === 'b0')).toHaveLength(1);
    expect(isRefusal(await createSession(world, { app: 'Loft', minutes: 30 }))).toBe(false);
    expect(await createSession(world, { app: 'Loft', minutes: 30 })).toMatchObject({
      refused: 'servers_busy',
    });
  });

  test('hostChanged() moves what a smaller card has no room for', async () => {
    const fleet = await cardFleet();
    const { world, a } = fleet;
    for (let n = 0; n < 3; n++) expect(isRefusal(await book(fleet, 'Loft', 0))).toBe(false);
    const smaller = cards.map((card) => (card.index === 0 ? { ...card, vram_mb: 7_000 } : card));
    await a.hello({ cards: smaller });
    expect(await cardFaults(world)).toHaveLength(12);
    expect(await hostChanged(world, 'a')).toEqual({ moved: 1, lost: 0, kept: 0 });
    expect(await cardFaults(world)).toEqual([]);
  });

  test('createEvacuations() empties a card when it begins to drain, and lets sessions there go on', async () => {
    const fleet = await cardFleet();
    const { world, a } = fleet;
    const begun = await createSession(world, { app: 'Loft', minutes: 30 });
    const made = await book(fleet, 'Loft', 30);
    if (isRefusal(begun) || isRefusal(made)) throw new Error('refused');
    const evacuate = createEvacuations(world);
    await evacuate();
    expect(await bookedOn(fleet, made.id)).toMatchObject({ host: 'a', seat: 0 });
    await drain(world, 'a', [0]);
    await evacuate();
    expect(await bookedOn(fleet, made.id)).toMatchObject({ host: 'a', seat: 3 });
    expect(world.sessions.get(begun.session.id)?.phase).toBe('assigned');
    expect(a.stopping.size).toBe(0);
  });
});
