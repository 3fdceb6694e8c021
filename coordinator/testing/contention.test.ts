import { expect, setDefaultTimeout, test } from 'bun:test';
import { contend } from './contention.ts';

setDefaultTimeout(600_000);

test('contend() finds nothing wrong while coordinators and the database are killed', async () => {
  const { bookings, quotas, findings } = await contend({ attempts: 600, seed: 7, accounts: 3, parallel: 12 });
  expect(bookings).toMatchObject({ overlaps: 0, lost: 0, bad: 0, killed: { coordinators: 2, databases: 1 } });
  expect(bookings.created).toBeGreaterThan(100);
  expect(findings).toEqual([]);
  expect(quotas).toMatchObject({ wrong: 0, created: 9 });
});
