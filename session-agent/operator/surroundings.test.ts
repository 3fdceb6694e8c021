import { expect, test } from 'bun:test';
import { adviceOn } from './surroundings.ts';

test('adviceOn() advises what fits the error, and nothing where it knows nothing', () => {
  const advice = (code: string) => adviceOn(Object.assign(new Error(`${code}: no`), { code }));
  for (const code of ['EACCES', 'EPERM', 'SQLITE_CANTOPEN']) {
    expect(advice(code)).toBe(`${code}: no. Run this as administrator.`);
  }
  for (const code of ['ENOSPC', 'EDQUOT'])
    expect(advice(code)).toBe(`${code}: no. The disk is full: free space on it.`);
  for (const code of ['EROFS', 'ENOENT']) expect(advice(code)).toBe(`${code}: no.`);
  expect(adviceOn('odd')).toBe('odd.');
});
