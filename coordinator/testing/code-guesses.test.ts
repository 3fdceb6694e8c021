import { expect, setDefaultTimeout, test } from 'bun:test';
import { guessCodes } from './code-guesses.ts';

setDefaultTimeout(600_000);

test('guessCodes() gets no more codes looked at by two coordinators than the budgets say, tells right from wrong by nothing, and the invited come in', async () => {
  const report = await guessCodes({ guesses: 600, addresses: 100, seed: 7, honest_every_ms: 100 });
  const { wrong, entered, waits, closed, others, budget, compared, honest } = report;
  expect({ others, failures: honest.failures, all: wrong + entered + waits + closed }).toEqual({
    others: {},
    failures: [],
    all: 600,
  });
  expect({ wrong, entered }).toEqual({ wrong: budget, entered: 0 });
  expect(waits).toBeGreaterThan(500);
  expect(compared.pairs).toBeGreaterThan(20);
  expect(compared.differences).toEqual([]);
});
