import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { sessionSchema } from '../../shared/protocol/http.ts';
import { bounds } from '../kit/limits.ts';
import type { FakeAgent } from '../testing/fake-agent.ts';
import { type Rig, startRig } from '../testing/rig.ts';
import type { TestSocket } from '../testing/socket.ts';
import { answerWhenAdmitted } from './verb-answers.ts';

setDefaultTimeout(60_000);

const message = (socket: TestSocket) =>
  socket.next('a message', (frame) =>
    typeof frame === 'string' ? (JSON.parse(frame) as Record<string, unknown>) : undefined,
  );

const open = async (rig: Rig) => {
  const socket = await rig.client();
  expect(await message(socket)).toMatchObject({ msg: 'CONNECTED' });
  const ask = (code: string, id: string) => {
    socket.send(JSON.stringify({ verb: 'CONNECT_SESSION_WITH_CODE', code, name: 'Anna', id }));
    return message(socket);
  };
  return { socket, ask };
};

const wrongOf = (code: string): string => (code === '9999' ? '0000' : '9999');

/** A played session, and a client that has typed as many wrong codes as are looked at. */
const guessed = async (rig: Rig, agent: FakeAgent) => {
  const owner = await rig.session(agent);
  await rig.player(agent, owner);
  const client = await open(rig);
  const wrong = wrongOf(owner.session.code);
  for (let n = 0; n < bounds.wrong_codes_of_network; n++) {
    expect(await client.ask(wrong, 'c')).toEqual({ msg: 'SESSION_NOT_EXIST', id: 'c' });
  }
  return { ...client, owner, wrong };
};

const waitingAt = async (
  rig: Rig,
  { session, participant_token: token }: Awaited<ReturnType<Rig['create']>>,
) => rig.get(sessionSchema, rig.request('GET', `/api/v1/sessions/${session.id}`, { token }));

describe(`${answerWhenAdmitted.name}()`, () => {
  test('answerWhenAdmitted() answers right and wrong codes alike after many wrong ones, to the end', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const { ask, socket, owner, wrong } = await guessed(rig, agent);
    const right = await ask(owner.session.code, 'a');
    expect(right).toMatchObject({ msg: 'ERROR', code: 'lobby_waiting' });
    expect(await ask(wrong, 'a')).toEqual(right);
    await rig.pass(bounds.lobby_ms - 2_500, agent);
    expect(socket.rest()).toEqual([]);
    await rig.pass(2_500, agent);
    expect([await message(socket), await message(socket)]).toEqual([
      { msg: 'SESSION_NOT_EXIST', id: 'a' },
      { msg: 'SESSION_NOT_EXIST', id: 'a' },
    ]);
  });

  test('answerWhenAdmitted() goes on once the owner, who reads the name, lets the guest in', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const { ask, socket, owner } = await guessed(rig, agent);
    expect(await ask(owner.session.code, 'a')).toMatchObject({ code: 'lobby_waiting' });
    let seen = await waitingAt(rig, owner);
    while (seen.waiting.length === 0) {
      await rig.pass(1_000, agent);
      seen = await waitingAt(rig, owner);
    }
    const [participant_id = ''] = seen.waiting;
    expect(seen.names).toEqual({ [participant_id]: 'Anna' });
    const body = { participant_id, admitted: true };
    const admission = `/api/v1/sessions/${owner.session.id}/admission`;
    expect((await rig.request('POST', admission, { token: owner.participant_token, body })).status).toBe(204);
    expect(await message(socket)).toMatchObject({
      verb: 'CONNECT_TO_SESSION',
      session_id: owner.session.id,
      id: 'a',
    });
  });

  test('answerWhenAdmitted() goes on when the owner lets somebody in whose app has a lobby', async () => {
    await using rig = await startRig();
    rig.store.edit([
      {
        server_name: 'a',
        ip: '127.0.0.1',
        port: 1,
        rc_info: { rc_name: 'Loft', info: { description: [{ en: 'Loft' }], lobby: true } },
        key: 'the-secret-key-of-a',
      },
    ]);
    const agent = await rig.host();
    const owner = await rig.session(agent);
    await rig.player(agent, owner);
    const { ask, socket } = await open(rig);
    expect(await ask(owner.session.code, 'l')).toMatchObject({ code: 'lobby_waiting' });
    const { waiting } = await waitingAt(rig, owner);
    const admission = `/api/v1/sessions/${owner.session.id}/admission`;
    const body = { participant_id: waiting[0], admitted: true };
    await rig.request('POST', admission, { token: owner.participant_token, body });
    expect(await message(socket)).toMatchObject({ verb: 'CONNECT_TO_SESSION', id: 'l' });
  });
});
