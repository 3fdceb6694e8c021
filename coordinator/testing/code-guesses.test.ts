import { expect, setDefaultTimeout, test } from 'bun:test';
import { guessCodes } from './code-guesses.ts';

setDefaultTimeout(600_000);

test('guessCodes() gets no more codes looked at by two coordinators than the budgets say, and the invited come in', async () => {
  const report = await guessCodes({ guesses: 600, addresses: 100, seed: 7, honest_every_ms: 100 });
  const { wrong, entered, closed, others, budget, honest } = report;
  expect({ others, failures: honest.failures, all: wrong + entered + closed }).toEqual({
    others: {},
    failures: [],
    all: 600,
  });
  expect(wrong).toBe(budget);
});
