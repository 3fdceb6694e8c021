import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { startMariadb } from '../../shared/testing/mariadb.ts';
import { moveBooking } from '../bookings/moves.ts';
import { strangerMayBook } from '../bookings/strangers.ts';
import { bounds } from '../kit/limits.ts';
import type { World } from '../sessions/live.ts';
import { endSession } from '../sessions/members.ts';
import { createSession } from '../sessions/starts.ts';
import { bookingRig } from '../testing/bookings.ts';
import { memoryDatabase } from '../testing/database.ts';
import { openMigrated } from '../testing/mysql.ts';
import { account } from '../testing/rows.ts';
import { default_shares } from '../testing/store.ts';
import { connect, member, ready, report, worldUnderTest } from '../testing/world.ts';
import { askPlace, enterQueue, moveQueue } from './queue.ts';
import { strangerMayQueue, strangerMayStart } from './strangers.ts';

setDefaultTimeout(120_000);

const nets = (count: number, from = 0) => Array.from({ length: count }, (_, at) => `192.0.2.${from + at}`);

const rig = async ({ seats = 2, accounts = false, patch = {} } = {}) => {
  const under = await worldUnderTest({}, memoryDatabase(), fakeClock(), seats, {
    ...default_shares,
    ...patch,
  });
  const { world, db, link } = under;
  if (!accounts) await db.transact((tables) => tables.accounts.remove({ id: 'account-1' }));
  const start = (network: string) => createSession(world, { app: 'Loft', network });
  const end = async (made: Awaited<ReturnType<typeof start>>, used: boolean) => {
    if (isRefusal(made)) throw new Error(made.refused);
    ready(world, link, made.session.id);
    if (used) connect(world, made);
    await endSession(world, member(world, made));
    report(world, link, made.session.id, { type: 'host_ended', reason: 'owner_ended' });
    await world.saver.saved(made.session.id);
  };
  return { ...under, start, end };
};

const codes = (answers: readonly unknown[]) => answers.map((one) => (isRefusal(one) ? one.refused : 'yes'));

describe(`${strangerMayStart.name}()`, () => {
  test('strangerMayStart() lets one network take one of two seats, and another the other while nobody has an account', async () => {
    const { start } = await rig();
    expect(codes(await Promise.all([1, 2, 3].map(() => start('192.0.2.1'))))).toEqual([
      'yes',
      'visitor_share',
      'visitor_share',
    ]);
    expect(codes([await start('192.0.2.2')])).toEqual(['yes']);
  });

  test('strangerMayStart() keeps a seat for accounts as soon as somebody has one, whatever strangers do', async () => {
    const { world, start } = await rig({ accounts: true });
    const answers = codes(await Promise.all(nets(20).map(start)));
    expect(answers.filter((one) => one === 'yes')).toHaveLength(1);
    expect(answers.filter((one) => one === 'visitors_full')).toHaveLength(19);
    expect(isRefusal(await createSession(world, { app: 'Loft', account: account(1) }))).toBe(false);
  });

  test('strangerMayStart() counts an IPv6 /48 as one customer', async () => {
    const { start } = await rig();
    expect(codes([await start('2001:db8:1:1::/64'), await start('2001:db8:1:2::/64')])).toEqual([
      'yes',
      'visitor_share',
    ]);
    expect(codes([await start('2001:db8:2:1::/64')])).toEqual(['yes']);
  });

  test('strangerMayStart() suits two hundred seats: few for a network, three quarters for all', async () => {
    const { world, start } = await rig({ seats: 200, accounts: true });
    const one = codes(await Promise.all(Array.from({ length: 10 }, () => start('192.0.2.1'))));
    expect(one.filter((code) => code === 'yes')).toHaveLength(4);
    const all = [];
    for (let at = 0; at < 160; at++) all.push(await start(`198.51.100.${at}`));
    expect(codes(all).filter((code) => code === 'yes')).toHaveLength(146);
    expect(isRefusal(await createSession(world, { app: 'Loft', account: account(1) }))).toBe(false);
  });

  test('strangerMayStart() makes a network wait that starts and starts what it never uses', async () => {
    const { start, end, clock } = await rig();
    for (let at = 0; at < 5; at++) await end(await start('192.0.2.1'), false);
    const refused = await start('192.0.2.1');
    expect(refused).toMatchObject({ refused: 'visitor_share', retry_after: bounds.unused_ms / 1_000 });
    expect(codes([await start('192.0.2.2')])).toEqual(['yes']);
    clock.advance(bounds.unused_ms + 1);
    expect(codes([await start('192.0.2.1')])).toEqual(['yes']);
  });

  test('strangerMayStart() has nothing against who uses what it starts, or whose host failed', async () => {
    const { world, link, start, end } = await rig();
    for (let at = 0; at < 8; at++) await end(await start('192.0.2.1'), true);
    for (let at = 0; at < 8; at++) {
      const made = await start('192.0.2.1');
      if (isRefusal(made)) throw new Error(made.refused);
      report(world, link, made.session.id, { type: 'host_ended', reason: 'app_crashed' });
      await world.saver.saved(made.session.id);
    }
    expect(codes([await start('192.0.2.1')])).toEqual(['yes']);
  });

  test('strangerMayStart() holds on MariaDB for many who come at once', async () => {
    await using server = await startMariadb();
    const db = await openMigrated(await server.createDatabase('strangers'));
    const under = await worldUnderTest({}, db, fakeClock(), 4, default_shares);
    const { world } = under;
    const networks = [...nets(12), ...nets(12)];
    const answers = codes(
      await Promise.all(networks.map((network) => createSession(world, { app: 'Loft', network }))),
    );
    expect(answers.filter((one) => one === 'yes')).toHaveLength(3);
    expect(isRefusal(await createSession(world, { app: 'Loft', account: account(1) }))).toBe(false);
    await db.close();
  });

  test('strangerMayStart() follows the configuration', async () => {
    const patch = { anonymous_network_percent: 100, anonymous_seats_percent: 50 };
    const { start } = await rig({ seats: 4, patch });
    expect(codes(await Promise.all(nets(4).map(start))).filter((one) => one === 'yes')).toHaveLength(2);
  });
});

const entered = async (world: World, network: string, by?: ReturnType<typeof account>) =>
  enterQueue(world, 'Loft', by, network);

describe(`${strangerMayQueue.name}()`, () => {
  test('strangerMayQueue() gives a network few places and leaves a quarter of the queue to accounts', async () => {
    const { world } = await rig();
    const one = await Promise.all(Array.from({ length: 8 }, () => entered(world, '192.0.2.1')));
    expect(codes(one).filter((code) => code === 'yes')).toHaveLength(4);
    const all = [];
    for (let at = 0; at < 160; at++) all.push(await entered(world, `198.51.100.${at}`));
    expect(codes(all).filter((code) => code === 'yes')).toHaveLength(146);
    expect(codes(all).at(-1)).toBe('visitors_full');
    expect(codes([await entered(world, '192.0.2.1', account(1))])).toEqual(['yes']);
  });

  test('strangerMayQueue() and moveQueue() offer strangers no seat that they may not have', async () => {
    const { world, start } = await rig({ accounts: true });
    expect(codes([await start('192.0.2.1')])).toEqual(['yes']);
    const stranger = await entered(world, '192.0.2.2');
    const known = await entered(world, '192.0.2.3', account(1));
    if (isRefusal(stranger) || isRefusal(known)) throw new Error('no places');
    // The seat that is left is for accounts: who queues before them does not keep it from them either.
    await moveQueue(world);
    expect(await askPlace(world, stranger.id, stranger.token)).toMatchObject({ state: 'waiting' });
    expect(await askPlace(world, known.id, known.token)).toMatchObject({ state: 'offered' });
    expect(codes([await createSession(world, { app: 'Loft', account: account(1), queue: known })])).toEqual([
      'yes',
    ]);
  });

  test('strangerMayQueue() lets strangers who queue keep no seat from an account', async () => {
    const { world, start } = await rig({ accounts: true });
    expect(codes([await start('192.0.2.1')])).toEqual(['yes']);
    for (const network of nets(5, 10)) expect(codes([await entered(world, network)])).toEqual(['yes']);
    expect(codes([await createSession(world, { app: 'Loft', account: account(1) })])).toEqual(['yes']);
  });
});

describe(`${strangerMayBook.name}()`, () => {
  test('strangerMayBook() leaves half of the calendar, and gives a network few bookings to come', async () => {
    const db = memoryDatabase();
    const { at, stranger, visitor } = await bookingRig(db, { patch: default_shares });
    const from = (network: string) => ({ ...stranger, network });
    // Two hosts of two seats: at one time two are for strangers.
    const same = [];
    for (const network of nets(4)) same.push(await at('10:00', {}, from(network)));
    expect(codes(same)).toEqual(['yes', 'yes', 'visitors_full', 'visitors_full']);
    expect(codes([await at('10:00', {}, visitor())])).toEqual(['yes']);
    const more = [];
    for (const time of ['12:00', '13:00', '14:00']) more.push(await at(time, {}, from('192.0.2.0')));
    expect(codes(more)).toEqual(['yes', 'yes', 'visitor_share']);
  });

  test('strangerMayBook() is not fooled by bookings that move together', async () => {
    const db = memoryDatabase();
    const { at, stranger, services } = await bookingRig(db, { patch: default_shares });
    const made = [];
    for (const [n, network] of nets(3).entries()) {
      const one = await at(`${10 + n}:00`, {}, { ...stranger, network });
      if (isRefusal(one)) throw new Error(one.refused);
      made.push(one);
    }
    const moved = [];
    for (const { id, token, version } of made) {
      const to = { date: '2026-11-02', time: '18:00', minutes: 60 };
      moved.push(await moveBooking(services, id, to, { ...stranger, token }, version));
    }
    expect(codes(moved)).toEqual(['yes', 'yes', 'visitors_full']);
  });

  test('strangerMayBook() keeps a whole day of one seat from ten networks', async () => {
    const db = memoryDatabase();
    const { at, stranger } = await bookingRig(db, { patch: default_shares, host: { seats: 1 } });
    await db.transact((tables) => tables.host_apps.remove({ host: 'host-b' }));
    let minutes = 0;
    for (const [n, network] of nets(10).entries()) {
      for (let hour = 10; hour < 24; hour++) {
        const made = await at(`${hour}:00`, { minutes: 60 }, { ...stranger, network });
        if (!isRefusal(made)) minutes += 60;
      }
      expect(n).toBeLessThan(10);
    }
    expect(minutes).toBe(12 * 60);
  });
});
