import { expect, test } from 'bun:test';
import { newSession } from '../testing/domain.ts';
import { rowOf, sessionOf } from './rows.ts';

test('sessionOf() reads what rowOf() wrote, and rows from before sessions could be cut short', () => {
  const session = { ...newSession(), cut_short: true };
  const row = rowOf(session, 0);
  expect(sessionOf(row)).toEqual(session);
  const { cut_short: _, ...before } = session;
  expect(sessionOf({ data: JSON.stringify(before) })).toEqual({ ...before, cut_short: false });
});
