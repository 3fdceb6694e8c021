import { expect, test } from 'bun:test';
import { secondsText, stepsOf, waited } from './phases.ts';

const states = (phase: Parameters<typeof stepsOf>[0]['phase']) =>
  stepsOf({ phase, phases: {} }).map(({ state }) => state);

test('stepsOf() has exactly one step under way in every phase of a start', () => {
  expect(states('assigned')).toEqual(['now', 'next', 'next', 'next']);
  expect(states('launching')).toEqual(['done', 'now', 'next', 'next']);
  expect(states('app_started')).toEqual(['done', 'done', 'now', 'next']);
  expect(states('ready')).toEqual(['done', 'done', 'done', 'now']);
});

test('stepsOf() tells how long finished steps took', () => {
  const phases = { accepted: 1_000, assigned: 1_010, launching: 1_400, app_started: 3_400 };
  expect(stepsOf({ phase: 'app_started', phases }).map(({ took_ms }) => took_ms)).toEqual([
    400,
    2_000,
    undefined,
    undefined,
  ]);
});

test('waited() counts from the request, whatever the visitor’s clock says', () => {
  expect(waited({ phases: { accepted: 1_000, assigned: 1_010, launching: 1_400 } }, 250)).toBe(650);
  expect(waited({ phases: {} }, 250)).toBe(250);
});

test('secondsText() shows tenths while they can be read', () => {
  expect([0, 449, 9_949, 9_950, 12_400].map(secondsText)).toEqual(['0.0', '0.4', '9.9', '10', '12']);
});
