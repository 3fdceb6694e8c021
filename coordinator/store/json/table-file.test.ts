import { expect, test } from 'bun:test';
import { booking } from '../../testing/rows.ts';
import { shapes } from '../shapes.ts';
import { decodeTable, encodeTable } from './table-file.ts';

const fileOf = (row: object): string =>
  Buffer.concat(encodeTable('bookings', 7, [row as Record<string, string>])).toString();

test('decodeTable() reads a row that was stored before an optional column came to be', () => {
  const { unplaceable_at: _, ...before } = booking(1);
  expect(decodeTable(shapes.bookings, fileOf(before))).toMatchObject({ sequence: 7, rows: [booking(1)] });
});

test('decodeTable() refuses a row without a column that has to be there', () => {
  const { host: _, ...broken } = booking(1);
  expect(decodeTable(shapes.bookings, fileOf(broken))).toHaveProperty('problem');
});
