import { expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { bounds } from '../limits.ts';
import { started, worldUnderTest } from '../testing/world.ts';
import { guess } from './guesses.ts';
import { joinSession } from './sessions.ts';

const outcomes = async (answers: Promise<unknown>[]) =>
  (await Promise.all(answers)).map((answer) => (isRefusal(answer) ? answer.refused : 'in'));
const count = (list: readonly string[], what: string) => list.filter((one) => one === what).length;

test('guess() looks at no more wrong codes of one network than its budget, however many come at once', async () => {
  const { world } = await worldUnderTest();
  const wrong = () => joinSession(world, { code: '99999' }, '192.0.2.1');
  const answers = await outcomes(Array.from({ length: 3 * bounds.wrong_codes_of_network }, wrong));
  expect(count(answers, 'code_unknown')).toBe(bounds.wrong_codes_of_network);
  expect(count(answers, 'codes_closed')).toBe(2 * bounds.wrong_codes_of_network);
});

test('guess() closes code entry of an app to all networks, and opens it again; invites go on working', async () => {
  const { world, clock } = await worldUnderTest();
  const { session } = await started(world);
  const answers = await outcomes(
    Array.from({ length: 100 }, (_, at) =>
      joinSession(world, { code: '99999', app: 'Loft' }, `192.0.2.${at}`),
    ),
  );
  expect(count(answers, 'code_unknown')).toBe(bounds.wrong_codes_of_app);
  const honest = { code: session.code, app: 'Loft' };
  expect(await joinSession(world, honest, '198.51.100.1')).toEqual({ refused: 'codes_closed' });
  expect(isRefusal(await joinSession(world, { invite: session.invite ?? '' }, '198.51.100.1'))).toBe(false);
  // Another target has a budget of its own.
  expect(isRefusal(await joinSession(world, { code: session.code }, '198.51.100.1'))).toBe(false);
  clock.advance(2 * bounds.wrong_codes_ms);
  expect(isRefusal(await joinSession(world, honest, '198.51.100.1'))).toBe(false);
});

test('guess() leaves who guesses for an hour, from anywhere, less than one chance in a hundred at one session', async () => {
  const { world, clock } = await worldUnderTest();
  let looked = 0;
  for (let minute = 0; minute < 60; minute++) {
    for (const app of ['Loft', undefined]) {
      const tries = Array.from({ length: 5 }, (_, at) =>
        joinSession(world, { code: '99999', app }, `192.0.${minute}.${at}`),
      );
      looked += count(await outcomes(tries), 'code_unknown');
    }
    clock.advance(60_000);
  }
  expect(looked).toBe(80);
  expect(looked / 10_000).toBeLessThan(0.01);
});

test('guess() costs nothing when it is right', async () => {
  const { world } = await worldUnderTest();
  const { session } = await started(world);
  for (let n = 0; n < 2 * bounds.wrong_codes_of_network; n++) {
    const by = { network: '192.0.2.1' };
    expect(await guess(world, by, async () => ({ id: session.id }))).toEqual({ id: session.id });
  }
});
