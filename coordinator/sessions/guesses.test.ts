import { expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { bounds } from '../kit/limits.ts';
import { connect, member, ready, started, worldUnderTest } from '../testing/world.ts';
import { guess } from './guesses.ts';
import { joinSession } from './members.ts';

/** Refused, let in, or made to wait. */
const outcomes = async (answers: Promise<Awaited<ReturnType<typeof joinSession>>>[]) =>
  (await Promise.all(answers)).map((answer) => {
    if (isRefusal(answer)) return answer.refused;
    return answer.session.waiting.includes(answer.participant_id) ? 'waits' : 'in';
  });
const count = (list: readonly string[], what: string) => list.filter((one) => one === what).length;

test('guess() looks at no more wrong codes of one network than its budget, however many come at once', async () => {
  const { world } = await worldUnderTest();
  const wrong = () => joinSession(world, { code: '99999' }, '192.0.2.1');
  const answers = await outcomes(Array.from({ length: 50 }, wrong));
  expect(count(answers, 'code_unknown')).toBe(bounds.wrong_codes_of_network);
  expect(count(answers, 'waits')).toBe(bounds.knocks_waiting_of_network);
  expect(count(answers, 'codes_closed')).toBe(
    50 - bounds.wrong_codes_of_network - bounds.knocks_waiting_of_network,
  );
});

test('guess() makes right codes wait once many wrong ones were typed; invites and other targets go on', async () => {
  const { world, clock, link } = await worldUnderTest();
  const one = await started(world);
  ready(world, link, one.session.id);
  connect(world, one);
  const { session } = one;
  const answers = await outcomes(
    Array.from({ length: 100 }, (_, at) =>
      joinSession(world, { code: '99999', app: 'Loft' }, `192.0.2.${at}`),
    ),
  );
  expect(count(answers, 'code_unknown')).toBe(bounds.wrong_codes_of_app);
  expect(count(answers, 'waits')).toBe(100 - bounds.wrong_codes_of_app);
  const honest = { code: session.code, app: 'Loft' };
  expect(await outcomes([joinSession(world, honest, '198.51.100.1')])).toEqual(['waits']);
  expect(await outcomes([joinSession(world, { invite: session.invite ?? '' }, '198.51.100.1')])).toEqual([
    'in',
  ]);
  // Another target has a budget of its own.
  expect(await outcomes([joinSession(world, { code: session.code }, '198.51.100.1')])).toEqual(['in']);
  clock.advance(2 * bounds.wrong_codes_ms);
  expect(world.sessions.get(session.id)?.end).toBeNull();
  expect(await outcomes([joinSession(world, honest, '198.51.100.1')])).toEqual(['in']);
  expect(member(world, one).participant.owner).toBe(true);
});

test('guess() leaves who guesses for an hour, from anywhere, less than one chance in a hundred at one session', async () => {
  const { world, clock } = await worldUnderTest();
  let looked = 0;
  for (let minute = 0; minute < 60; minute++) {
    for (const app of ['Loft', undefined, `made up ${minute}`]) {
      const tries = Array.from({ length: 5 }, (_, at) =>
        joinSession(world, { code: '99999', app }, `192.0.${minute}.${at}`),
      );
      looked += count(await outcomes(tries), 'code_unknown');
    }
    clock.advance(60_000);
  }
  // A name that is no app's has no budget of its own.
  expect(looked).toBe(80);
  expect(looked / 10_000).toBeLessThan(0.01);
});

test('guess() costs nothing when it is right', async () => {
  const { world } = await worldUnderTest();
  const { session } = await started(world);
  for (let n = 0; n < 2 * bounds.wrong_codes_of_network; n++) {
    const by = { code: session.code, network: '192.0.2.1' };
    expect(await guess(world, by, async () => ({ id: session.id }))).toEqual({ id: session.id });
  }
});
