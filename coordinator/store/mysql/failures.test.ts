import { expect, test } from 'bun:test';
import { Taken, Unavailable } from '../database.ts';
import { failureOf, seen } from './failures.ts';

/** As the driver hands a server's error on. */
const serverError = (errno: number, message = 'said by the server'): Error =>
  Object.assign(new Error(message), { errno, sqlState: 'HY000', code: `ER_${errno}` });

const rows: [kind: string, refused: string, numbers: number[]][] = [
  ['again', 'storage_away', [1213, 1205, 1020, 1412, 1615, 3101, 8002, 8022, 8028, 9007]],
  [
    'lost',
    'storage_away',
    [
      1040, 1047, 1053, 1203, 1226, 1290, 1317, 1461, 1792, 1836, 1927, 1969, 3024, 3032, 3100, 3168, 4031,
      9001, 9005,
    ],
  ],
  ['full', 'storage_full', [1114, 1021, 3]],
  ['barred', 'storage_away', [1044, 1045, 1049, 1142, 3159]],
];
for (const [kind, refused, numbers] of rows) {
  test(`failureOf() takes ${numbers.join(', ')} for ${kind}, which callers see as ${refused}`, () => {
    for (const number of numbers) {
      const error = serverError(number);
      const failure = failureOf(error, 'bookings');
      expect([number, failure.kind]).toEqual([number, kind as typeof failure.kind]);
      const told = seen(error, failure);
      expect(told instanceof Unavailable && told.refusal.refused).toBe(refused as 'storage_away');
    }
  });
}

const said: [number: number, message: string, kind: string][] = [
  [1030, 'Got error 28 "No space left on device" from storage engine InnoDB', 'full'],
  [1030, 'Got error 168 "Unknown (generic) error from engine" from storage engine InnoDB', 'lost'],
  [1180, 'Got error 6 "No such device or address" during COMMIT', 'lost'],
  [1105, 'VT15001: transaction error, roll back the transaction', 'lost'],
  [1105, 'target: v.-.primary: vttablet: rpc error: code = Aborted desc = transaction 1: ended', 'lost'],
  [
    1105,
    'target: v.-.primary: primary is not serving, there may be a reparent operation in progress',
    'lost',
  ],
  [1105, 'Information schema is changed during the execution of the statement', 'lost'],
  [1105, 'VT12001: unsupported: something', 'other'],
  [1146, "Table 'v.bookings' doesn't exist", 'other'],
  [1054, "Unknown column 'x'", 'other'],
];
test.each(said)('failureOf() reads %d %s as %s', (number, message, kind) => {
  expect<string>(failureOf(serverError(number, message)).kind).toBe(kind);
});

test('failureOf() names the index that holds such a row, as MySQL and MariaDB write it', () => {
  for (const name of ['bookings_invite', 'bookings.bookings_invite']) {
    const failure = failureOf(serverError(1062, `Duplicate entry 'x' for key '${name}'`), 'bookings');
    expect(seen(undefined, failure)).toEqual(new Taken('bookings', 'invite'));
  }
  const key = failureOf(serverError(1062, "Duplicate entry 'x' for key 'PRIMARY'"), 'bookings');
  expect(key.kind === 'taken' && key.error.index).toBe('key');
});

test('failureOf() takes what no server said for a lost connection, and a mistake of ours for one', () => {
  expect(failureOf(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })).kind).toBe('lost');
  expect(failureOf(new TypeError('x is undefined')).kind).toBe('other');
  expect(failureOf('text').kind).toBe('other');
});
