import { describe, expect, test } from 'bun:test';
import { isRefusal, type Refusal } from '../../shared/errors.ts';
import { changeStanding, checkPassword, decide, normaliseEmail, type Standing } from './rules.ts';

const refusedBy = (value: Refusal | object | string | undefined): string | undefined =>
  isRefusal(value) ? value.refused : undefined;

describe('normaliseEmail()', () => {
  const right: [text: string, email: string][] = [
    ['  Anna@Example.COM ', 'anna@example.com'],
    ['a.b+c@x-y.example', 'a.b+c@x-y.example'],
    ['admin@localhost', 'admin@localhost'],
    ['АННА@почта.рф', 'анна@почта.рф'],
    ['e\u0301@x.example', 'é@x.example'],
  ];
  for (const [text, email] of right) {
    test(`normaliseEmail() takes ${JSON.stringify(text)}`, () => {
      expect(normaliseEmail(text)).toBe(email);
    });
  }

  const wrong = [
    '',
    '@',
    'a@',
    '@b',
    'a b@c.example',
    'a@b@c.example',
    'a@b..c',
    'a@-b.c',
    'a@b-',
    'a@b c',
    'a\u200b@b.example',
    'a\u3164@b.example',
    'a\u2028b@b.example',
    'a\0@b.example',
    '"a"@b.example',
    'a,b@c.example',
    '\ud800@b.example',
    `${'a'.repeat(65)}@b.example`,
    `a@${'b.'.repeat(130)}c`,
    `a@${'b'.repeat(64)}`,
  ];
  for (const text of wrong) {
    test(`normaliseEmail() refuses ${JSON.stringify(text).slice(0, 40)}`, () => {
      expect(refusedBy(normaliseEmail(text))).toBe('malformed');
    });
  }
});

describe('checkPassword()', () => {
  const email = 'anna.smith@example.com';
  for (const weak of [
    '',
    'Correct 1',
    'Password123',
    '1234567890',
    'QWERTYUIOP',
    'aaaaaaaaaaaa',
    'abababababab',
    'Anna.Smith@example.com',
    'anna.smith',
    'x'.repeat(300),
  ]) {
    test(`checkPassword() refuses "${weak.slice(0, 30)}"`, () => {
      expect(checkPassword(weak, email)?.refused).toBe('password_weak');
    });
  }

  test('checkPassword() takes what is long and uncommon, up to 256 characters in any script', () => {
    for (const fine of [
      'Correct 10',
      'верная лошадь',
      'correct horse '.repeat(18),
      `${'abcde'.repeat(51)}x`,
    ]) {
      expect(checkPassword(fine, email)).toBeUndefined();
    }
  });
});

describe('decide()', () => {
  test('decide() lets a pending account in or not, once, and a rejection says why', () => {
    const pending: Standing = { role: 'user', state: 'pending' };
    expect(decide(pending, { decision: 'approve' })).toEqual({ state: 'approved', reason: null });
    expect(decide(pending, { decision: 'approve', reason: ' a friend ' })).toEqual({
      state: 'approved',
      reason: 'a friend',
    });
    expect(decide(pending, { decision: 'reject', reason: 'unknown' })).toEqual({
      state: 'rejected',
      reason: 'unknown',
    });
    expect(refusedBy(decide(pending, { decision: 'reject' }))).toBe('malformed');
    expect(refusedBy(decide(pending, { decision: 'reject', reason: '  ' }))).toBe('malformed');
    for (const state of ['approved', 'rejected'] as const) {
      for (const decision of ['approve', 'reject'] as const) {
        expect(refusedBy(decide({ role: 'user', state }, { decision, reason: 'x' }))).toBe('account_decided');
      }
    }
  });
});

describe('changeStanding()', () => {
  const admin: Standing = { role: 'admin', state: 'approved' };
  const user: Standing = { role: 'user', state: 'approved' };

  test('changeStanding() keeps the last administrator, whatever would take the role away', () => {
    for (const change of [
      { role: 'user' },
      { role: 'operator' },
      { state: 'rejected', reason: 'x' },
      { role: 'user', state: 'approved' },
    ] as const) {
      expect(refusedBy(changeStanding(admin, change, 0))).toBe('last_admin');
      expect(refusedBy(changeStanding(admin, change, 1))).toBeUndefined();
    }
    expect(changeStanding(admin, {}, 0)).toEqual({ ...admin, revoked: false });
    expect(changeStanding(admin, { role: 'admin', state: 'approved' }, 0)).toEqual({
      ...admin,
      revoked: false,
    });
  });

  test('changeStanding() revokes when role or state become others, and only then', () => {
    expect(changeStanding(user, { role: 'operator' }, 1)).toEqual({
      ...user,
      role: 'operator',
      revoked: true,
    });
    expect(changeStanding(user, { role: 'user' }, 1)).toEqual({ ...user, revoked: false });
    const out = { role: 'user', state: 'rejected', reason: 'left', revoked: true } as const;
    expect(changeStanding(user, { state: 'rejected', reason: 'left' }, 1)).toEqual(out);
    expect(refusedBy(changeStanding(user, { state: 'rejected' }, 1))).toBe('malformed');
    expect(changeStanding({ ...user, state: 'rejected' }, { state: 'approved' }, 1)).toEqual({
      ...user,
      reason: null,
      revoked: true,
    });
    const pending: Standing = { role: 'user', state: 'pending' };
    expect(refusedBy(changeStanding(pending, { state: 'approved' }, 1))).toBe('malformed');
  });
});
