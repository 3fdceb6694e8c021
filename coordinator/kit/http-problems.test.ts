import { describe, expect, test } from 'bun:test';
import { errorCodes, errors, refuse, refuseFor } from '../../shared/errors.ts';
import { problem } from './http-problems.ts';

describe('problem()', () => {
  for (const code of errorCodes) {
    const busy = [429, 503].includes(errors[code].http);
    test(`problem() of ${code} ${busy ? 'says when to try again' : 'promises no time'}`, async () => {
      const answer = problem(refuse(code));
      const { retry_after } = (await answer.json()) as { retry_after?: number };
      const header = answer.headers.get('retry-after');
      expect(header).toBe(retry_after === undefined ? null : String(retry_after));
      expect(Number(retry_after ?? 0) > 0).toBe(busy);
    });
  }

  test('problem() says the time that is known', async () => {
    const answer = problem(refuseFor('login_throttled', 90_000));
    expect([answer.headers.get('retry-after'), (await answer.json()) as unknown]).toMatchObject([
      '90',
      { retry_after: 90 },
    ]);
  });
});
