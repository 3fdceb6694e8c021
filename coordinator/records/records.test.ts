import { expect, test } from 'bun:test';
import { endReasons } from '../../shared/protocol/session.ts';
import { memoryDatabase } from '../testing/database.ts';
import { recordRow } from '../testing/rows.ts';
import { describeRecord, everyRecord } from './records.ts';

test('describeRecord() names every end reason, and none for a number that it does not know', () => {
  for (const [name, code] of Object.entries(endReasons)) {
    expect(describeRecord(recordRow(1, { end_reason: code })).end).toEqual({ code, name } as never);
  }
  expect(describeRecord(recordRow(1, { end_reason: 999 })).end).toEqual({ code: 999, name: null });
});

test('everyRecord() gives each record once where many ended in one instant, whatever comes meanwhile', async () => {
  const db = memoryDatabase();
  const rows = Array.from({ length: 25 }, (_, at) => recordRow(at, { ended_at: 1_000 + (at % 3) }));
  await db.transact(({ records }) => records.insert(...rows));
  const seen: string[] = [];
  let added = 100;
  for await (const page of everyRecord({ db }, {}, 4)) {
    expect(page.length).toBeLessThanOrEqual(4);
    seen.push(...page.map(({ session_id }) => session_id));
    await db.transact(({ records }) => records.insert(recordRow(added, { ended_at: 2_000 })));
    added += 1;
  }
  expect(seen.toSorted()).toEqual(rows.map(({ session_id }) => session_id).toSorted());
});
