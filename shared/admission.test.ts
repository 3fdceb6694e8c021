import { describe, expect, test } from 'bun:test';
import { createHmac } from 'node:crypto';
import { type Admission, signAdmission, verifyAdmission } from './admission.ts';

const secret = 'a secret of this session';
const admission: Admission = {
  participant: 'id-1',
  ice_servers: [{ urls: ['turn:turn.example:3478'], username: 'u', credential: 'пароль' }],
  expires: 1_000,
};
const token = signAdmission(admission, secret);

/** A token whose MAC is right, whatever its body says: only the agent of the session can make one. */
const signedBody = (text: string): string => {
  const body = Buffer.from(text).toString('base64url');
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
};

describe('verifyAdmission()', () => {
  test('verifyAdmission() gives back what was signed, until it expires', () => {
    expect(verifyAdmission(token, secret, 0)).toEqual(admission);
    expect(verifyAdmission(token, secret, 999)).toEqual(admission);
    expect(verifyAdmission(token, secret, 1_000)).toBeUndefined();
  });

  test('verifyAdmission() needs the secret of this session', () => {
    expect(verifyAdmission(token, `${secret} `, 0)).toBeUndefined();
    expect(verifyAdmission(token, '', 0)).toBeUndefined();
  });

  test('verifyAdmission() refuses every change of one character, the last one included', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const accepted: string[] = [];
    for (let at = 0; at < token.length; at++) {
      const others = at === token.length - 1 ? [...alphabet] : ['A', '_', '.', '=', '+', '/', ''];
      for (const other of others) {
        const altered = token.slice(0, at) + other + token.slice(at + 1);
        if (altered !== token && verifyAdmission(altered, secret, 0) !== undefined) accepted.push(altered);
      }
    }
    expect(accepted).toEqual([]);
  });

  const mac = token.split('.')[1] ?? '';
  const garbage = [
    '',
    '.',
    '..',
    'a',
    'a.b',
    'a.b.c',
    `${token}.`,
    `.${token}`,
    `${token}=`,
    ` ${token}`,
    `.${mac}`,
    mac,
    `null.${mac}`,
    '\u0000.\u0000',
    '👾.👾',
    'x'.repeat(100_000),
    `${'x'.repeat(100_000)}.${'y'.repeat(100_000)}`,
  ];
  for (const [index, text] of garbage.entries()) {
    test(`verifyAdmission() refuses garbage ${index} (${text.slice(0, 12)}) without a throw`, () => {
      expect(verifyAdmission(text, secret, 0)).toBeUndefined();
    });
  }

  const rightlySigned = [
    '',
    'not JSON',
    'null',
    '[]',
    '{}',
    JSON.stringify({ ...admission, expires: '9999' }),
    JSON.stringify({ ...admission, more: 1 }),
    JSON.stringify({ ...admission, participant: '../x' }),
    JSON.stringify({ ...admission, ice_servers: [{ urls: 'turn:x' }] }),
  ];
  for (const text of rightlySigned) {
    test(`verifyAdmission() refuses a rightly signed body that is no admission: ${text.slice(0, 40)}`, () => {
      expect(verifyAdmission(signedBody(text), secret, 0)).toBeUndefined();
    });
  }

  test('verifyAdmission() takes a body that another program signed', () => {
    expect(verifyAdmission(signedBody(JSON.stringify(admission)), secret, 0)).toEqual(admission);
  });
});

test('signAdmission() makes a token that needs no escaping in a URL', () => {
  expect(encodeURIComponent(token)).toBe(token);
});
