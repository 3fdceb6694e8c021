import { expect, test } from 'bun:test';
import { counted } from './counted.ts';

test('counted() has one of one, and many of everything else', () => {
  expect([0, 0.5, 1, 2, 11, 21].map((count) => counted(count, 'session'))).toEqual([
    '0 sessions',
    '0.5 sessions',
    '1 session',
    '2 sessions',
    '11 sessions',
    '21 sessions',
  ]);
  expect([counted(1, 'entry', 'entries'), counted(2, 'entry', 'entries')]).toEqual(['1 entry', '2 entries']);
});
