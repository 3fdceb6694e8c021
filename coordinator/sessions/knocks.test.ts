import { describe, expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import type { Participation } from '../../shared/protocol/http.ts';
import { tick } from '../fleet/fleet.ts';
import { bounds } from '../kit/limits.ts';
import { memoryDatabase } from '../testing/database.ts';
import { connect, member, ready, started, worldUnderTest } from '../testing/world.ts';
import { createDoor, describeKnock, findKnock, leaveKnock } from './knocks.ts';
import type { World } from './live.ts';
import { admitGuest, callerOf, joinSession } from './members.ts';

const joined = async (...call: Parameters<typeof joinSession>): Promise<Participation> => {
  const answer = await joinSession(...call);
  if (isRefusal(answer)) throw new Error(answer.refused);
  return answer;
};

/** Uses up what may be looked at for the app. */
const closeCodes = async (world: World) => {
  for (let at = 0; at < bounds.wrong_codes_of_app; at++) {
    expect(await joinSession(world, { code: '99999', app: 'Loft' }, `192.0.2.${at}`)).toEqual({
      refused: 'code_unknown',
    });
  }
};

/** A session that is played, and a door at which codes are not looked at. */
const closed = async (db = memoryDatabase()) => {
  const under = await worldUnderTest({}, db);
  const { world, link } = under;
  const owner = await started(world);
  ready(world, link, owner.session.id);
  connect(world, owner);
  await closeCodes(world);
  const knocks = (code: string, at = 1, name?: string) =>
    joined(world, { code, app: 'Loft', name }, `198.51.100.${at}`);
  return { ...under, owner, knocks, bring: createDoor(world) };
};

/** An answer without what is drawn anew for each caller. */
const shape = ({ session, participant_id, participant_token, owner }: Participation) => ({
  owner,
  token: participant_token.length,
  session: { ...session, id: session.id.length, code: session.code.length, waiting: session.waiting.length },
  self: session.waiting.includes(participant_id),
});

/** What the caller sees when it asks again. */
const asked = async (world: World, { session, participant_token }: Participation) => {
  const found = await callerOf(world, session.id, participant_token);
  if (isRefusal(found)) return found.refused;
  if ('session' in found) return `in as ${found.participant.admitted ? 'guest' : 'nobody'}`;
  const { id: _, code: __, waiting: ___, ...seen } = describeKnock(world, found);
  return seen;
};

describe('joinSession() when codes are not looked at', () => {
  test('joinSession() answers right and wrong codes alike, then and whenever the caller asks, to the end', async () => {
    const { world, owner, knocks, bring, clock } = await closed();
    const right = await knocks(owner.session.code, 1);
    const wrong = await knocks('9999', 2);
    expect(shape(right)).toEqual(shape(wrong));
    expect(right.session.id).not.toBe(owner.session.id);
    await bring();
    // The right one waits for the owner, and nothing that happens then shows outside.
    expect(world.sessions.get(owner.session.id)?.participants).toHaveLength(2);
    expect(await asked(world, right)).toEqual(await asked(world, wrong));
    await admitGuest(world, member(world, owner), right.participant_id, false);
    expect(await asked(world, right)).toEqual(await asked(world, wrong));
    for (const at of [bounds.lobby_ms - 1, 1]) {
      clock.advance(at);
      tick(world);
      await bring();
      expect(await asked(world, right)).toEqual(await asked(world, wrong));
    }
    expect(await asked(world, right)).toBe('session_unknown');
  });

  test('joinSession() shows no end of the session that the code was of', async () => {
    const { world, owner, knocks, bring } = await closed();
    const [right, wrong] = [await knocks(owner.session.code, 1), await knocks('9999', 2)];
    await bring();
    world.sessions.drop(owner.session.id);
    expect(await asked(world, right)).toEqual(await asked(world, wrong));
  });

  test('joinSession() forgets who leaves, and the owner waits for them no more', async () => {
    const { world, owner, knocks, bring } = await closed();
    for (const knocking of [await knocks(owner.session.code, 1), await knocks('9999', 2)]) {
      await bring();
      const found = await findKnock(world, knocking.session.id, knocking.participant_token);
      if (isRefusal(found)) throw new Error(found.refused);
      await leaveKnock(world, found);
      expect(await asked(world, knocking)).toBe('session_unknown');
    }
    const waiting = world.sessions.get(owner.session.id)?.participants.filter((one) => !one.away);
    expect(waiting).toHaveLength(1);
  });

  test('joinSession() tells nobody but its own caller', async () => {
    const { world, owner, knocks } = await closed();
    const { session } = await knocks(owner.session.code);
    expect(await callerOf(world, session.id, 'wrong')).toEqual({ refused: 'unauthorized' });
    expect(await callerOf(world, session.id, undefined)).toEqual({ refused: 'unauthorized' });
  });

  test('joinSession() lets few of a network wait, and of an IPv6 network few in all its 65,536 parts', async () => {
    const { world, db } = await closed();
    const many = (count: number, network: (at: number) => string) =>
      Promise.all(
        Array.from({ length: count }, (_, at) =>
          joinSession(world, { code: '9999', app: 'Loft' }, network(at)),
        ),
      ).then((answers) => answers.filter((answer) => !isRefusal(answer)).length);
    const rows = () => db.read(({ knocks }) => knocks.count({}));
    expect(await many(100, () => '198.51.100.1')).toBe(bounds.knocks_waiting_of_network);
    expect(await many(300, (at) => `2001:db8:1:${at.toString(16)}::/64`)).toBe(
      bounds.knocks_waiting_of_wide_network,
    );
    expect(await rows()).toBe(bounds.knocks_waiting_of_network + bounds.knocks_waiting_of_wide_network);
    expect(await joinSession(world, { code: '9999', app: 'Loft' }, '198.51.100.1')).toEqual({
      refused: 'codes_closed',
    });
    expect(await many(1, () => '203.0.113.1')).toBe(1);
  });
});

describe('createDoor()', () => {
  test('createDoor() brings who typed a right code before the owner by name, who lets them in', async () => {
    const { world, owner, knocks, bring } = await closed();
    const guest = await knocks(owner.session.code, 1, 'Anna');
    await bring();
    await bring();
    const before = world.sessions.get(owner.session.id);
    expect(before?.participants.filter(({ admitted }) => !admitted)).toMatchObject([
      { id: guest.participant_id, name: 'Anna', network: '198.51.100.1' },
    ]);
    await admitGuest(world, member(world, owner), guest.participant_id, true);
    expect(await asked(world, guest)).toBe('in as guest');
    // By the session's own id as well: it is known from now on.
    connect(world, { ...guest, session: owner.session });
  });

  test('createDoor() brings nobody before the owner by a name that looks like another one', async () => {
    const { world, owner, knocks, bring } = await closed();
    await knocks(owner.session.code, 1, 'Anna');
    await bring();
    await knocks(owner.session.code, 2, '\u0410NNA');
    await bring();
    const names = world.sessions.get(owner.session.id)?.participants.map(({ name }) => name);
    expect(names?.toSorted()).toEqual(['Anna', null, null]);
  });

  test('createDoor() keeps the door open for as long as the session lasts, and after a restart', async () => {
    const { world, owner, knocks, bring, clock, db } = await closed();
    const guest = await knocks(owner.session.code);
    await bring();
    await admitGuest(world, member(world, owner), guest.participant_id, true);
    clock.advance(2 * bounds.lobby_ms);
    expect(await asked(world, guest)).toBe('in as guest');
    const again = await worldUnderTest({}, db, clock);
    expect(await asked(again.world, guest)).toBe('in as guest');
  });

  test('createDoor() fills no lobby: few of a network, few at all, and the invited come in beside them', async () => {
    const { world, owner, knocks, bring } = await closed();
    for (let at = 0; at < 5; at++) await knocks(owner.session.code, 1);
    await bring();
    const lobby = () =>
      world.sessions.get(owner.session.id)?.participants.filter((one) => !one.admitted && !one.away) ?? [];
    expect(lobby()).toHaveLength(bounds.knocks_of_network);
    for (let at = 2; at < 40; at++) await knocks(owner.session.code, at);
    await bring();
    expect(lobby()).toHaveLength(bounds.knocks_of_session);
    const invite = owner.session.invite ?? '';
    for (let at = 0; at < 20; at++) await joined(world, { invite }, '203.0.113.1');
  });

  test('createDoor() of each coordinator looks at every knock for the sessions of its own', async () => {
    const db = memoryDatabase();
    const { owner, world, bring } = await closed(db);
    // The same database, and none of the hosts.
    const other = await worldUnderTest({}, db);
    for (const id of [...other.world.sessions.keys()]) other.world.sessions.drop(id);
    const guest = await joined(other.world, { code: owner.session.code, app: 'Loft' }, '203.0.113.9');
    expect(guest.session.waiting).toEqual([guest.participant_id]);
    await createDoor(other.world)();
    await bring();
    expect(world.sessions.get(owner.session.id)?.participants.map(({ id }) => id)).toContain(
      guest.participant_id,
    );
  });
});
