import { expect, test } from 'bun:test';
import { bearer, digest, hashOf, matches } from './secrets.ts';

test('matches() compares a secret with a digest', () => {
  expect(matches('secret', digest('secret'))).toBe(true);
  expect(matches('secret ', digest('secret'))).toBe(false);
  expect(hashOf('secret')).toBe(digest('secret').toString('base64url'));
});

test('bearer() reads the secret of an Authorization header, and nothing else', () => {
  expect(bearer('Bearer abc-_=')).toBe('abc-_=');
  expect(bearer('bearer abc')).toBe('abc');
  for (const header of [
    null,
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic abc',
    'Bearer a b',
    `Bearer ${'x'.repeat(513)}`,
  ]) {
    expect(bearer(header)).toBeUndefined();
  }
});
