import { describe, expect, test } from 'bun:test';
import { errorCodes, errors, explain, isRefusal, refuse } from './errors.ts';
import { limits } from './limits.ts';
import { closeCode, closeReason } from './socket.ts';

describe('errors()', () => {
  for (const code of errorCodes) {
    const { http, close, retryable, text } = errors[code];

    test(`errors() gives ${code} an HTTP error status and a close code that a server may send`, () => {
      expect(http).toBeWithin(400, 600);
      expect(closeCode(close)).toBe(close);
      expect(close).not.toBe(1000);
      if (close >= 4000) expect(close).toBe(4000 + http);
    });

    test(`errors() explains ${code} in whole sentences that fit a close frame`, () => {
      expect(text).toMatch(/^[A-Z][^\n]*\.$/);
      expect(closeReason(text)).toBe(text);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(limits.close_reason_bytes);
    });

    test(`errors() calls ${code} retryable only where trying again can help`, () => {
      if ([429, 502, 503].includes(http)) expect(retryable).toBeTrue();
      if ([403, 404, 410, 413].includes(http)) expect(retryable).toBeFalse();
      expect(typeof retryable).toBe('boolean');
    });
  }

  test('errors() has codes in snake_case, each once', () => {
    expect(errorCodes.filter((code) => !/^[a-z]+(_[a-z]+)*$/.test(code))).toEqual([]);
    expect(new Set(errorCodes).size).toBe(Object.keys(errors).length);
  });
});

test('refuse() has a detail only when there is one', () => {
  expect(Object.keys(refuse('not_found'))).toEqual(['refused']);
  expect(refuse('not_found', '/x')).toEqual({ refused: 'not_found', detail: '/x' });
});

test('explain() says the general text, then the detail', () => {
  expect(explain(refuse('app_unknown'))).toBe(errors.app_unknown.text);
  expect(explain(refuse('app_unknown', 'Loft'))).toBe(`${errors.app_unknown.text} (Loft)`);
});

test('isRefusal() tells a refusal from any other value', () => {
  expect(isRefusal(refuse('internal'))).toBeTrue();
  expect([null, undefined, 1, 'refused', [], {}].filter(isRefusal)).toEqual([]);
});
