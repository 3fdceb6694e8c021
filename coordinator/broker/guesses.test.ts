import { expect, setDefaultTimeout, test } from 'bun:test';
import { silentLog } from '../../shared/log.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { bounds } from '../limits.ts';
import { createGuesses } from './guesses.ts';

setDefaultTimeout(30_000);

test('createGuesses() lets an address guess so often a minute, and others meanwhile', () => {
  const clock = fakeClock();
  const guesses = createGuesses(clock, silentLog);
  for (let n = 0; n < bounds.wrong_codes_per_minute; n++) {
    expect(guesses.check('a')).toBeUndefined();
    guesses.wrong('a');
  }
  expect(guesses.check('a')?.refused).toBe('too_many_messages');
  expect(guesses.check('b')).toBeUndefined();
  clock.advance(60_000);
  expect(guesses.check('a')).toBeUndefined();
});

test('createGuesses() forgets the address that was wrong longest ago when too many are remembered', () => {
  const guesses = createGuesses(fakeClock(), silentLog);
  for (let n = 0; n < bounds.wrong_codes_per_minute; n++) guesses.wrong('a');
  for (let n = 1; n < bounds.networks_remembered; n++) guesses.wrong(`address ${n}`);
  expect(guesses.check('a')?.refused).toBe('too_many_messages');
  guesses.wrong('one more');
  expect(guesses.check('a')).toBeUndefined();
});
