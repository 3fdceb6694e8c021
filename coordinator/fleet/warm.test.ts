import { expect, test } from 'bun:test';
import { bookingSettings } from '../bookings/settings.ts';
import { bounds } from '../kit/limits.ts';
import { cardFleet } from '../testing/card-fleet.ts';
import { booking } from '../testing/rows.ts';
import { createWarmWishes } from './warm.ts';

const minute_ms = 60_000;

test('createWarmWishes() asks for an instance for each booking that opens soon, and says only what changes', async () => {
  const { world, clock, db, a, b } = await cardFleet();
  const { open_ms } = bookingSettings(world);
  const ahead = open_ms + bounds.warm_ahead_ms;
  const book = (number: number, changes: object) =>
    db.transact(({ bookings }) =>
      bookings.insert(
        booking(number, { host: 'a', app: 'Loft', ends_at: clock.now() + 999 * minute_ms, ...changes }),
      ),
    );
  const tell = createWarmWishes(world);
  const told = async () => {
    await tell();
    const wishes = [a, b].map(({ orders }) =>
      orders.flatMap((order) => ('verb' in order && order.verb === 'WARM' ? [order.apps] : [])),
    );
    for (const { orders } of [a, b]) orders.length = 0;
    return wishes;
  };
  expect(await told()).toEqual([[[]], [[]]]);
  expect(await told()).toEqual([[], []]);

  const starts_at = clock.now() + ahead;
  await book(1, { starts_at });
  await book(2, { starts_at: starts_at + 1 });
  await book(3, { starts_at, app: 'Villa', seat: 4 });
  await book(4, { starts_at, app: 'Villa', state: 'cancelled' });
  await book(5, { starts_at, app: 'Villa', state: 'open', session_id: 'runs' });
  await book(6, { starts_at, host: 'b', state: 'open' });
  const one = (rc_name: string, instances = 1, card = 0) => ({ rc_name, card, instances });
  expect(await told()).toEqual([[[one('Loft'), one('Villa', 1, 1)]], [[one('Loft')]]]);
  clock.advance(1);
  expect(await told()).toEqual([[[one('Loft', 2), one('Villa', 1, 1)]], []]);

  // An agent that connects again may have forgotten, or be another one.
  const link = world.links.get('b');
  if (link === undefined) throw new Error('not connected');
  world.links.set('b', { ...link, epoch: 2 });
  expect(await told()).toEqual([[], [[one('Loft')]]]);

  await db.transact(async ({ bookings }) => {
    for (const number of [1, 2, 3])
      await bookings.update({ id: `booking-${number}` }, { session_id: 'runs' });
  });
  world.links.delete('b');
  expect(await told()).toEqual([[[]], []]);
});
