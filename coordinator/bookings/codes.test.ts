import { describe, expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { fakeIds } from '../../shared/testing/ids.ts';
import { bounds } from '../kit/limits.ts';
import { memoryDatabase } from '../testing/database.ts';
import { releaseCode, takeCode } from './codes.ts';

const setUp = (below: (below: number) => number = () => 0) => {
  const db = memoryDatabase();
  const clock = fakeClock();
  const services = { clock, ids: { ...fakeIds(), below } };
  return {
    clock,
    take: (holder: string, digits = 4) => db.transact((tables) => takeCode(services, tables, holder, digits)),
    release: (holder: string) => db.transact((tables) => releaseCode(services, tables, holder)),
    fill: (count: number) =>
      db.transact(async ({ codes }) => {
        for (let number = 0; number < count; number++) {
          await codes.insert({
            code: String(number).padStart(4, '0'),
            holder: `other-${number}`,
            free_at: null,
          });
        }
      }),
  };
};

describe(`${takeCode.name}()`, () => {
  test('takeCode() gives codes of the wanted length that nobody has', async () => {
    const { take } = setUp();
    expect([await take('a'), await take('b'), await take('c', 6)]).toEqual(['0000', '0001', '000000']);
  });

  test('takeCode() walks past the codes that are in use, from the last one on to the first', async () => {
    const { take } = setUp((space) => space - 1);
    expect([await take('a'), await take('b')]).toEqual(['9999', '0000']);
  });

  test('takeCode() looks further than the codes it reads at once', async () => {
    let draws = 0;
    const { take, fill } = setUp(() => (draws++ === 0 ? 0 : 500));
    await fill(200);
    expect(await take('a')).toBe('0500');
  });

  test('takeCode() refuses beyond a fifth of all codes', async () => {
    const { take, fill, release, clock } = setUp(() => 5_000);
    await fill(1_999);
    expect(await take('a')).toBe('5000');
    expect(isRefusal(await take('b'))).toBeTrue();
    await release('a');
    expect(await take('b')).toEqual({ refused: 'codes_used_up' });
    clock.advance(bounds.code_quarantine_ms);
    expect(await take('b')).toBe('5000');
  });
});

describe(`${releaseCode.name}()`, () => {
  test('releaseCode() keeps the code away from others for a day', async () => {
    const { take, release, clock } = setUp();
    await take('a');
    await release('a');
    expect(await take('b')).toBe('0001');
    clock.advance(bounds.code_quarantine_ms - 1);
    await release('a');
    expect(await take('c')).toBe('0002');
    clock.advance(1);
    expect(await take('d')).toBe('0000');
  });
});
