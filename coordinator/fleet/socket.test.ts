import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { errors } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { AGENT_LINK_OLDEST, AGENT_LINK_VERSION } from '../../shared/protocol/agent-link.ts';
import { bounds } from '../kit/limits.ts';
import { startRig } from '../testing/rig.ts';
import { entry, keyOf } from '../testing/store.ts';
import { createAgents } from './socket.ts';

setDefaultTimeout(60_000);

describe(`${createAgents.name}()`, () => {
  test('createAgents() refuses a wrong key, an unknown host and a key of another host, each with its text', async () => {
    await using rig = await startRig();
    const wrong = [
      rig.agent({}, 'a-wrong-key-of-a'),
      rig.agent({ server_name: 'nobody' }),
      rig.agent({}, 'the-secret-key-of-b'),
    ];
    for (const dialled of wrong) {
      const { code, reason } = await (await dialled).closed();
      expect([code, reason]).toEqual([errors.agent_key_wrong.close, errors.agent_key_wrong.text]);
    }
    expect(rig.recorded.messages('warn').filter((msg) => msg === 'agent refused')).toHaveLength(3);
    expect(rig.recorded.text()).not.toContain('a-wrong-key-of-a');
  });

  test('createAgents() refuses a version of the protocol that is too old, and says which it speaks', async () => {
    await using rig = await startRig();
    const agent = await rig.agent({ protocol: AGENT_LINK_OLDEST - 1 });
    const { code, reason } = await agent.closed();
    expect(code).toBe(errors.agent_version.close);
    expect(reason).toContain(
      `the agent speaks ${AGENT_LINK_OLDEST - 1}, the coordinator ${AGENT_LINK_OLDEST} to ${AGENT_LINK_VERSION}`,
    );
  });

  test.each([
    [AGENT_LINK_OLDEST, AGENT_LINK_OLDEST],
    [AGENT_LINK_VERSION, AGENT_LINK_VERSION],
    [AGENT_LINK_VERSION + 1, AGENT_LINK_VERSION],
  ])('createAgents() meets an agent of version %d in version %d', async (theirs, holds) => {
    await using rig = await startRig();
    const agent = await rig.agent({ protocol: theirs });
    const { protocol = 1 } = await agent.next('WELCOME');
    expect(protocol).toBe(holds);
  });

  test('createAgents() lets a second connection of a host replace the first, and sessions go on', async () => {
    await using rig = await startRig();
    const first = await rig.host();
    const owner = await rig.session(first);
    const { socket } = await rig.player(first, owner);
    const second = await rig.host({
      sessions: [{ session_id: owner.session.id, generation: 1, state: 'ready' }],
    });
    expect((await first.closed()).code).toBe(errors.agent_superseded.close);
    expect((await socket.closed()).code).toBe(1012);
    expect(await rig.phase(owner)).toBe('ready');
    await rig.player(second, owner);
  });

  test('createAgents() believes what a host says of its cards and how busy it is, and fits sessions to that', async () => {
    await using rig = await startRig();
    const agent = await rig.agent(null, 'the-secret-key-of-a');
    const card = { index: 3, seats: 2, vram_mb: 10_000, encoders: null };
    agent.send({
      ...{
        verb: 'HELLO',
        protocol: AGENT_LINK_VERSION,
        server_name: 'a',
        seats: 2,
        apps: ['Loft'],
        sessions: [],
      },
      ...{ cards: [card], needs: [{ rc_name: 'Loft', vram_mb: 6_000, encoders: 1 }], version: '1.2.3' },
    });
    await agent.next('WELCOME');
    const figures = {
      ...{ cpu_percent: 12.5, memory_used_mb: null, memory_total_mb: null },
      cards: [],
    };
    agent.send({
      ...{ verb: 'HEARTBEAT', time: 1, figures },
      warm: [{ rc_name: 'Loft', card: 3, ready: 1 }],
    });
    await agent.next('HEARTBEAT');
    const metrics = await (await fetch(`${rig.base}/metrics`)).text();
    expect(metrics).toContain('coordinator_host_cpu_percent{host="a"} 12.5');
    expect(metrics).toContain('coordinator_warm_instances{host="a",card="3",app="Loft"} 1');
    const create = () => rig.request('POST', '/api/v1/sessions', { body: { app: 'Loft', language: 'ru' } });
    expect((await create()).status).toBe(201);
    expect(await agent.next('CREATE_SESSION')).toMatchObject({ card: 3, language: 'ru' });
    expect(await rig.refused(create())).toBe('servers_busy');
    rig.clock.advance(bounds.tick_ms);
    expect(await agent.next('WARM')).toMatchObject({ apps: [] });
  });

  test('createAgents() tells a host what to stop, and gives its seat away once it has', async () => {
    await using rig = await startRig();
    const agent = await rig.agent({
      seats: 1,
      sessions: [{ session_id: 'unknown', generation: 3, state: 'ready' }],
    });
    expect((await agent.next('WELCOME')).sessions).toEqual([
      { session_id: 'unknown', generation: 3, action: 'stop' },
    ]);
    const create = () => rig.request('POST', '/api/v1/sessions', { body: { app: 'Loft' } });
    expect(await rig.refused(create())).toBe('servers_busy');
    agent.send({ msg: 'SESSION_ENDED', session_id: 'unknown', generation: 3, reason: 'coordinator_forgot' });
    await agent.heartbeat();
    expect((await create()).status).toBe(201);
  });

  test('createAgents() ends sessions that the host forgot, and those of a host that stays away', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const [one, two] = [await rig.session(agent), await rig.session(agent)];
    agent.close();
    await agent.closed();
    const back = await rig.host({
      sessions: [{ session_id: one.session.id, generation: 1, state: 'ready' }],
    });
    await back.heartbeat();
    expect([await rig.phase(one), await rig.phase(two)]).toEqual(['ready', 'ended']);
    back.close();
    await back.closed();
    await rig.pass(119_000);
    expect(await rig.phase(one)).toBe('ready');
    await rig.pass(2_000);
    const token = one.participant_token;
    const { body } = await rig.request('GET', `/api/v1/sessions/${one.session.id}`, { token });
    expect(body).toMatchObject({ phase: 'ended', end: { reason: 'host_lost', code: 20 } });
    const late = await rig.agent({
      sessions: [{ session_id: one.session.id, generation: 1, state: 'ready' }],
    });
    expect((await late.next('WELCOME')).sessions[0]?.action).toBe('stop');
  });

  test('createAgents() orders again what the host never heard of', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const owner = await rig.create();
    expect((await agent.next('CREATE_SESSION')).ice_servers).toEqual(rig.store.configuration().ice_servers);
    agent.terminate();
    await agent.closed();
    const back = await rig.host();
    expect(await back.next('CREATE_SESSION')).toMatchObject({ session_id: owner.session.id, generation: 1 });
  });

  test('createAgents() passes on how a launch goes, and why it failed', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const owner = await rig.create();
    const { session_id, generation } = await agent.next('CREATE_SESSION');
    const phases: string[] = [];
    for (const phase of ['launching', 'app_started'] as const) {
      agent.send({ msg: 'SESSION_STARTING', session_id, generation, phase });
      await agent.heartbeat();
      phases.push(await rig.phase(owner));
    }
    agent.send({ msg: 'SESSION_RESTARTING', session_id, generation });
    await agent.heartbeat();
    phases.push(await rig.phase(owner));
    agent.send({
      msg: 'SESSION_ENDED',
      session_id,
      generation,
      reason: 'app_crashed',
      detail: 'exit code 1',
    });
    await agent.heartbeat();
    phases.push(await rig.phase(owner));
    expect(phases).toEqual(['launching', 'app_started', 'restarting', 'ended']);
    expect(rig.recorded.text()).toContain('exit code 1');
  });

  test('createAgents() ends a session that does not start in time', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const owner = await rig.create();
    await agent.next('CREATE_SESSION');
    await rig.pass(121_000, agent);
    expect(await agent.next('END_SESSION')).toMatchObject({
      session_id: owner.session.id,
      reason: 'start_timeout',
    });
  });

  test('createAgents() gives a silent link up, and one that never says HELLO', async () => {
    await using rig = await startRig();
    const mute = await rig.agent(null);
    const agent = await rig.host();
    await rig.pass(bounds.hello_ms, agent);
    expect((await mute.closed()).code).toBe(errors.unauthorized.close);
    await rig.pass(limits.link_silence_ms);
    expect((await agent.closed()).code).toBeGreaterThan(1000);
    const { body } = await rig.request('GET', '/readyz');
    expect(body).toMatchObject({ ok: true, hosts_connected: 0 });
  });

  test('createAgents() bears nonsense, and closes for what it must not bear', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    for (const nonsense of [
      'null',
      '[]',
      '7',
      '{',
      '{"verb":"DANCE"}',
      '{"verb":"HEARTBEAT","time":"now"}',
    ]) {
      agent.sendRaw(nonsense);
    }
    await agent.heartbeat();
    agent.sendRaw(new Uint8Array([9, 0, 0, 0, 1]));
    expect((await agent.closed()).code).toBe(errors.malformed.close);

    const early = await rig.agent(null);
    early.send({ msg: 'SESSION_RESTARTING', session_id: 's', generation: 1 });
    expect((await early.closed()).code).toBe(errors.unauthorized.close);

    const beating = await rig.agent(null);
    beating.send({ verb: 'HEARTBEAT', time: 1 });
    expect((await beating.closed()).code).toBe(errors.unauthorized.close);

    const large = await rig.host();
    large.sendRaw('x'.repeat(limits.link_frame_bytes + 1));
    expect([1006, 1009]).toContain((await large.closed()).code);
  });

  test('createAgents() reads little of a link before its HELLO, and least when its key is no host’s', async () => {
    await using rig = await startRig();
    const ends = async (key: string, bytes: number) => {
      const early = await rig.agent(null, key);
      early.sendRaw(`{"verb":"HELLO","more":"${'x'.repeat(bytes)}"}`.slice(0, bytes));
      // What was borne is followed by what is not.
      early.send({ verb: 'HEARTBEAT', time: 1 });
      return (await early.closed()).code;
    };
    expect(await ends('made-up', bounds.strange_hello_bytes + 1)).toBe(errors.frame_too_large.close);
    expect(await ends('made-up', bounds.strange_hello_bytes)).toBe(errors.unauthorized.close);
    expect(await ends(keyOf('a'), bounds.hello_bytes + 1)).toBe(errors.frame_too_large.close);
    expect(await ends(keyOf('a'), bounds.hello_bytes)).toBe(errors.unauthorized.close);
  });

  test('createAgents() closes the link of a host whose key is taken out of servers.json', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    rig.store.edit([entry('a', 'Loft'), entry('b', 'Loft')]);
    await agent.heartbeat();
    rig.store.edit([entry('b', 'Loft')]);
    expect((await agent.closed()).code).toBe(errors.agent_key_wrong.close);
  });

  test('createAgents() says to an agent that the coordinator is being stopped', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const owner = await rig.session(agent);
    const { socket } = await rig.player(agent, owner);
    rig.stop();
    expect((await agent.closed()).code).toBe(errors.shutting_down.close);
    expect((await socket.closed()).code).toBe(1012);
  });
});
