import { describe, expect, test } from 'bun:test';
import { createHmac } from 'node:crypto';
import { Webhook as Verifier } from 'standardwebhooks';
import { systemIds } from '../../shared/ids.ts';
import { webhookRow } from '../testing/rows.ts';
import { attempts_most, outcomeOf, retryDelay, shownSecret, signedText, signingSecrets } from './rules.ts';

const hour_ms = 3_600_000;

describe('retryDelay()', () => {
  test('retryDelay() waits 10 s, 1 min, 5 min, 30 min, 2 h, 6 h and 12 h, then gives up', () => {
    const waits = Array.from({ length: attempts_most }, (_, at) => retryDelay(at + 1, 0));
    expect(waits).toEqual([
      10_000,
      60_000,
      300_000,
      1_800_000,
      2 * hour_ms,
      6 * hour_ms,
      12 * hour_ms,
      undefined,
    ]);
  });

  test('retryDelay() spreads a wait by at most 15 percent, and all of them over about a day', () => {
    for (const jitter of [0, 0.25, 0.5, 0.999_999]) {
      const waits = Array.from({ length: attempts_most - 1 }, (_, at) => retryDelay(at + 1, jitter) ?? 0);
      const whole = waits.reduce((sum, wait) => sum + wait, 0);
      expect(whole).toBeGreaterThan(20 * hour_ms);
      expect(whole).toBeLessThan(24 * hour_ms);
      for (const [at, wait] of waits.entries()) {
        const least = retryDelay(at + 1, 0) ?? 0;
        expect(wait).toBeGreaterThanOrEqual(least);
        expect(wait).toBeLessThanOrEqual(Math.round(least * 1.15));
      }
    }
  });
});

test('signedText() joins id, time and body in a way that none of them can shift', () => {
  expect(signedText('id-1', 1_767_225_600, '{"a":"."}')).toBe('id-1.1767225600.{"a":"."}');
});

describe('shownSecret()', () => {
  for (const secret of [systemIds.secret(), 'a secret of any length', '~']) {
    test(`shownSecret() gives verifiers the very key that signs, for ${secret.length} characters`, () => {
      const at = new Date(1_767_225_600_000);
      const signature = createHmac('sha256', secret).update(signedText('id-1', 1_767_225_600, '{}'));
      const wanted = `v1,${signature.digest('base64')}`;
      expect(new Verifier(shownSecret(secret)).sign('id-1', at, '{}')).toBe(wanted);
      // Whoever was shown a secret before it had this form keeps it.
      expect(new Verifier(secret, { format: 'raw' }).sign('id-1', at, '{}')).toBe(wanted);
    });
  }

  test('shownSecret() keeps to the lengths that the standard asks for: 24 to 64 bytes', () => {
    expect(atob(shownSecret(systemIds.secret()).slice('whsec_'.length))).toHaveLength(43);
  });
});

describe('signingSecrets()', () => {
  const renewed = webhookRow(1, { secret: 'new', secret_before: 'old', secret_before_until: 1_000 });
  for (const [at, secrets] of [
    [0, ['new', 'old']],
    [999, ['new', 'old']],
    [1_000, ['new']],
  ] as const) {
    test(`signingSecrets() gives ${secrets.join(' and ')} ${1_000 - at} ms before the changeover is over`, () => {
      expect(signingSecrets(renewed, at)).toEqual([...secrets]);
    });
  }

  test('signingSecrets() gives one for a webhook whose secret was never renewed', () => {
    expect(signingSecrets(webhookRow(1, { secret: 'only' }), 0)).toEqual(['only']);
  });
});

describe('outcomeOf()', () => {
  const rows = [
    [200, 'delivered'],
    [204, 'delivered'],
    [299, 'delivered'],
    [199, 'failed'],
    [301, 'failed'],
    [307, 'failed'],
    [400, 'failed'],
    [404, 'failed'],
    [410, 'gone'],
    [429, 'failed'],
    [500, 'failed'],
  ] as const;
  for (const [status, outcome] of rows) {
    test(`outcomeOf() reads ${status} as ${outcome}`, () => {
      expect(outcomeOf(status)).toBe(outcome);
    });
  }
});
