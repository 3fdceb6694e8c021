import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { errors } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { sessionSchema } from '../../shared/protocol/http.ts';
import type { FakeAgent } from '../testing/fake-agent.ts';
import { startRig } from '../testing/rig.ts';
import { openSocket, type TestSocket } from '../testing/socket.ts';
import { connectPlayer } from './players.ts';

setDefaultTimeout(60_000);

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (socket: TestSocket) =>
  socket.next('a text', (frame) => (typeof frame === 'string' ? frame : undefined));
const nextData = async (agent: FakeAgent) => {
  const { channel, payload } = await agent.nextFrame('data');
  return { channel, text: new TextDecoder().decode(payload) };
};

describe(`${connectPlayer.name}()`, () => {
  test('connectPlayer() takes a session from start to end: relay both ways, a guest, the last one leaves', async () => {
    await using rig = await startRig({ ice_servers: [{ urls: ['stun:stun.example:3478'] }] });
    const agent = await rig.host();
    const owner = await rig.create();
    expect([owner.session.phase, owner.owner]).toEqual(['assigned', true]);
    const order = await agent.next('CREATE_SESSION');
    expect(order).toMatchObject({
      session_id: owner.session.id,
      generation: 1,
      rc_name: 'Loft',
      user_id: owner.participant_id,
      code: owner.session.code,
    });
    agent.ready(order);
    await agent.heartbeat();

    const socket = await openSocket(await rig.ticketUrl(owner));
    const { channel, ...connect } = await agent.next('CONNECT_USER_TO_SESSION');
    expect(connect).toMatchObject({
      session_id: owner.session.id,
      user_id: owner.participant_id,
      ice_servers: [{ urls: ['stun:stun.example:3478'] }],
    });
    socket.send('{"type":"listStreamers"}');
    expect(await nextData(agent)).toEqual({ channel, text: '{"type":"listStreamers"}' });
    agent.relay({ kind: 'data', channel, payload: utf8('\u{feff}{"type":"config","\u00e9":1}') });
    expect(await text(socket)).toBe('\u{feff}{"type":"config","\u00e9":1}');

    const guest = await rig.join(owner.session.code);
    expect([guest.session.id, guest.owner]).toEqual([owner.session.id, false]);
    const second = await rig.player(agent, guest);
    agent.relay({ kind: 'data', channel: second.channel, payload: utf8('to the guest') });
    expect(await text(second.socket)).toBe('to the guest');
    expect(socket.rest()).toEqual([]);

    socket.close(1000, 'bye');
    expect(await agent.nextFrame('close')).toEqual({ kind: 'close', channel, code: 1000, reason: 'bye' });
    second.socket.close();
    await agent.nextFrame('close');
    await rig.pass(9_000, agent);
    expect(await rig.phase(guest)).toBe('ready');
    await rig.pass(1_500, agent);
    expect(await agent.next('END_SESSION')).toMatchObject({
      session_id: owner.session.id,
      reason: 'last_left',
    });
    agent.send({ msg: 'SESSION_ENDED', session_id: owner.session.id, generation: 1, reason: 'last_left' });
    await agent.heartbeat();
    const { body } = await rig.request('GET', '/api/v1/apps');
    expect(body).toMatchObject({
      apps: [
        { name: 'Loft', seats: 2, seats_free: 2 },
        { name: 'Villa', seats: 0 },
      ],
    });
    for (const secret of [owner.participant_token, owner.session.code, 'the-secret-key-of-a']) {
      expect(rig.recorded.text()).not.toContain(`"${secret}"`);
    }
  });

  test("connectPlayer() hands the owner's end on to everybody with 1001, so that no page dials again", async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const owner = await rig.session(agent);
    const { socket } = await rig.player(agent, owner);
    const guest = await rig.player(agent, await rig.join(owner.session.code));
    const { status } = await rig.request('DELETE', `/api/v1/sessions/${owner.session.id}`, {
      token: owner.participant_token,
    });
    expect(status).toBe(204);
    const own = 'You have ended the session for everyone.';
    expect(await socket.closed()).toEqual({ code: 1001, reason: own });
    expect(await guest.socket.closed()).toEqual({ code: 1001, reason: 'The owner ended the session.' });
    expect(await agent.next('END_SESSION')).toMatchObject({ reason: 'owner_ended' });
    expect(
      await rig.refused(rig.request('POST', '/api/v1/join', { body: { code: owner.session.code } })),
    ).toBe('code_unknown');
  });

  test('connectPlayer() is told when its link drops; the session waits and goes on when the host is back', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const owner = await rig.session(agent);
    const { socket } = await rig.player(agent, owner);
    agent.terminate();
    expect((await socket.closed()).code).toBe(1012);
    const ticket = () =>
      rig.request('POST', `/api/v1/sessions/${owner.session.id}/tickets`, { token: owner.participant_token });
    expect(await rig.refused(ticket())).toBe('host_offline');
    expect(await rig.refused(rig.request('POST', '/api/v1/sessions', { body: { app: 'Loft' } }))).toBe(
      'app_offline',
    );
    await rig.pass(110_000);
    expect(await rig.phase(owner)).toBe('ready');

    const back = await rig.agent({
      sessions: [{ session_id: owner.session.id, generation: 1, state: 'ready' }],
    });
    expect((await back.next('WELCOME')).sessions).toEqual([
      { session_id: owner.session.id, generation: 1, action: 'keep' },
    ]);
    const again = await rig.player(back, owner);
    again.socket.send('still here');
    expect(await nextData(back)).toEqual({ channel: again.channel, text: 'still here' });
    await rig.pass(90_000, back);
    expect(await rig.phase(owner)).toBe('ready');
  });

  test('connectPlayer() takes a stock page back that dials its address again after a cut', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const owner = await rig.session(agent);
    const url = await rig.ticketUrl(owner);
    const dial = async () => {
      const socket = await openSocket(url);
      const { channel, user_id } = await agent.next('CONNECT_USER_TO_SESSION');
      expect(user_id).toBe(owner.participant_id);
      socket.send('here');
      expect(await nextData(agent)).toEqual({ channel, text: 'here' });
      return { socket, channel };
    };
    const first = await dial();
    first.socket.terminate();
    expect(await agent.nextFrame('close')).toMatchObject({ channel: first.channel });
    await rig.pass(45_000, agent);
    const second = await dial();
    // The page knows of the cut before the coordinator does.
    const third = await dial();
    expect(await second.socket.closed()).toEqual({
      code: 1001,
      reason: 'This page was opened again elsewhere.',
    });
    expect(await agent.nextFrame('close')).toMatchObject({ channel: second.channel, code: 1001 });
    third.socket.terminate();
    await agent.nextFrame('close');
    await rig.pass(61_000, agent);
    expect((await (await openSocket(url)).closed()).code).toBe(errors.ticket_expired.close);
  });

  test('connectPlayer() takes no page back that has left', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const owner = await rig.session(agent);
    const guest = await rig.join(owner.session.code);
    const url = await rig.ticketUrl(guest);
    const socket = await openSocket(url);
    await agent.next('CONNECT_USER_TO_SESSION');
    const path = `/api/v1/sessions/${owner.session.id}/leave`;
    expect((await rig.request('POST', path, { token: guest.participant_token })).status).toBe(204);
    expect((await socket.closed()).code).toBe(1001);
    expect((await (await openSocket(url)).closed()).code).toBe(errors.ticket_unknown.close);
  });

  test('connectPlayer() copies what the host says when it closes a channel', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const { socket, channel } = await rig.player(agent, await rig.session(agent));
    agent.relay({ kind: 'close', channel, code: 4502, reason: 'no signalling server' });
    expect(await socket.closed()).toEqual({ code: 4502, reason: 'no signalling server' });
    agent.relay({ kind: 'data', channel, payload: utf8('too late') });
    await agent.heartbeat();
    expect(rig.recorded.messages('error')).toEqual([]);
  });

  test('connectPlayer() refuses a frame that is too large, binary or one too many, and only that player', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const owner = await rig.session(agent);
    const honest = await rig.player(agent, owner);
    const offences: [code: number, offend: (socket: TestSocket) => void][] = [
      [1009, (socket) => socket.send('x'.repeat(limits.frame_bytes + 1))],
      [1007, (socket) => socket.send(utf8('binary'))],
      [
        1008,
        (socket) => {
          for (let n = 0; n <= limits.messages_burst; n++) socket.send('flood');
        },
      ],
    ];
    for (const [code, offend] of offences) {
      const { socket, channel } = await rig.player(agent, owner);
      offend(socket);
      expect((await socket.closed()).code).toBe(code);
      expect(await agent.nextFrame('close')).toMatchObject({ channel, code });
    }
    honest.socket.send('y'.repeat(limits.frame_bytes));
    let sent = await agent.nextFrame('data');
    while (sent.channel !== honest.channel) sent = await agent.nextFrame('data');
    expect(sent.payload.length).toBe(limits.frame_bytes);
  });

  test('connectPlayer() closes the sockets of a participant who leaves', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const owner = await rig.session(agent);
    await rig.player(agent, owner);
    const guest = await rig.join(owner.session.code);
    const { socket } = await rig.player(agent, guest);
    await rig.request('POST', `/api/v1/sessions/${owner.session.id}/leave`, {
      token: guest.participant_token,
    });
    expect(await socket.closed()).toEqual({ code: 1001, reason: 'You have left the session.' });
    const shown = rig.request('GET', `/api/v1/sessions/${owner.session.id}`, {
      token: owner.participant_token,
    });
    expect(await rig.get(sessionSchema, shown)).toMatchObject({ phase: 'ready', participants: 1 });
  });
});
