import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { sessionSchema } from '../../shared/protocol/http.ts';
import { connectPlayer } from '../relay/players.ts';
import type { FakeAgent } from '../testing/fake-agent.ts';
import { type Rig, startRig } from '../testing/rig.ts';

setDefaultTimeout(60_000);

const shown = async (rig: Rig, { session, participant_token: token }: Awaited<ReturnType<Rig['create']>>) =>
  rig.get(sessionSchema, rig.request('GET', `/api/v1/sessions/${session.id}`, { token }));

const answer = async (agent: FakeAgent, session_id: string, channel: number) => {
  agent.send({ msg: 'PLAYER_ANSWERED', session_id, generation: 1, channel });
  await agent.heartbeat();
};

describe(`${connectPlayer.name}() and presence`, () => {
  test('connectPlayer() makes nobody present who only holds the socket open, where the agent tells', async () => {
    await using rig = await startRig();
    const agent = await rig.agent({ answers: true });
    expect(await agent.next('WELCOME')).toMatchObject({ answers: true });
    const member = await rig.session(agent);
    const { socket } = await rig.player(agent, member);
    await rig.pass(57_500, agent);
    expect((await shown(rig, member)).phase).toBe('ready');
    await rig.pass(5_000, agent);
    expect((await shown(rig, member)).end?.reason).toBe('nobody_came');
    expect(await socket.closed()).toMatchObject({ code: 1001 });
  });

  test('connectPlayer() counts who answers the stream, and believes a host about its own players only', async () => {
    await using rig = await startRig();
    const agent = await rig.agent({ answers: true });
    await agent.next('WELCOME');
    const owner = await rig.session(agent);
    const stranger = await rig.agent({ server_name: 'b', answers: true });
    await stranger.next('WELCOME');
    const guest = await rig.join(owner.session.code);
    const [ofOwner, ofGuest] = [await rig.player(agent, owner), await rig.player(agent, guest)];
    await answer(agent, owner.session.id, ofOwner.channel);
    // A channel is its link's: the same number of another host's is none of these.
    await answer(stranger, owner.session.id, ofGuest.channel);
    await rig.pass(62_500, agent, stranger);
    expect(await shown(rig, owner)).toMatchObject({ phase: 'ready', participants: 1 });
    expect(await ofGuest.socket.closed()).toMatchObject({ code: 1001 });
  });

  test('connectPlayer() takes an open connection for presence where an older agent cannot tell', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const member = await rig.session(agent);
    await rig.player(agent, member);
    await rig.pass(90_000, agent);
    expect(await shown(rig, member)).toMatchObject({ phase: 'ready', participants: 1 });
  });
});
