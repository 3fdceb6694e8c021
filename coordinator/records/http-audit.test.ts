import { describe, expect, test } from 'bun:test';
import { auditSchema } from '../../shared/protocol/records.ts';
import { audit } from '../kit/audit.ts';
import { routesUnderTest } from '../testing/routes.ts';
import { auditRoutes } from './http-audit.ts';

const withEntries = async () => {
  const under = routesUnderTest(auditRoutes);
  for (const [actor, action, subject] of [
    ['account-1', 'app.created', 'garden'],
    ['account-2', 'app.changed', 'garden'],
    ['account-1', 'host.created', 'host-a'],
  ] as const) {
    await under.db.transact((tables) => audit(under, tables, actor, action, subject, { seats: 1 }));
    under.clock.advance(1_000);
  }
  const page = async (query = '') => auditSchema.parse(await under.json('GET', `/audit${query}`));
  const actions = async (query: string) => (await page(query)).entries.map(({ action }) => action);
  return { ...under, page, actions };
};

describe('auditRoutes()', () => {
  test('auditRoutes() lists pages, newest first', async () => {
    const { page, clock } = await withEntries();
    const first = await page('?limit=2');
    expect(first.entries.map(({ action }) => action)).toEqual(['host.created', 'app.changed']);
    expect(first.entries[0]).toMatchObject({ at: clock.now() - 1_000, detail: { seats: 1 } });
    const rest = await page(`?limit=2&after=${first.next}`);
    expect([rest.entries.map(({ action }) => action), rest.next]).toEqual([['app.created'], null]);
  });

  test('auditRoutes() filters by actor, subject and time', async () => {
    const { actions, clock } = await withEntries();
    const start = clock.now() - 3_000;
    expect(await actions('?actor=account-1')).toEqual(['host.created', 'app.created']);
    expect(await actions('?subject=garden')).toEqual(['app.changed', 'app.created']);
    expect(await actions('?actor=account-1&subject=garden')).toEqual(['app.created']);
    expect(await actions(`?from=${start + 1}&to=${start + 2_000}`)).toEqual(['app.changed']);
  });

  test('auditRoutes() is for administrators', async () => {
    const { who, refused } = await withEntries();
    expect(await refused('GET', '/audit?after=gone')).toBe('malformed');
    who.role = 'operator';
    expect(await refused('GET', '/audit')).toBe('forbidden');
    who.role = undefined;
    expect(await refused('GET', '/audit')).toBe('account_required');
  });
});
