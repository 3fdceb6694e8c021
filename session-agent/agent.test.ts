import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import type { FakeCoordinator } from './testing/fake-coordinator.ts';
import {
  fakeAppConfig,
  order,
  processesOf,
  type Rig,
  type RigOptions,
  startRig,
  takenPorts,
} from './testing/rig.ts';

let rig: Rig;
const start = async (options?: RigOptions) => {
  rig = await startRig(options);
  await rig.coordinator.message('HELLO');
  return rig;
};
afterEach(() => rig.stop(), 30_000);
setDefaultTimeout(60_000);

/** Opens a player channel and returns what the player would do with it. */
const player = (coordinator: FakeCoordinator, session: ReturnType<typeof order>, channel: number) => {
  const { session_id, generation, code } = session;
  coordinator.send({
    verb: 'CONNECT_USER_TO_SESSION',
    session_id,
    generation,
    code,
    channel,
    user_id: 'user-1',
    ice_servers: [{ urls: ['stun:stun.example:3478'] }],
  });
  return {
    say: (message: object) =>
      coordinator.relay({ kind: 'data', channel, payload: Buffer.from(JSON.stringify(message)) }),
    hear: (type: string) =>
      coordinator.next(`${type} on channel ${channel}`, (seen) => {
        if (seen.what !== 'frame' || seen.frame.kind !== 'data' || seen.frame.channel !== channel)
          return undefined;
        const message = JSON.parse(seen.text);
        return message.type === type ? message : undefined;
      }),
    closed: () =>
      coordinator.next(`end of channel ${channel}`, (seen) =>
        seen.what === 'frame' && seen.frame.kind === 'close' && seen.frame.channel === channel
          ? { code: seen.frame.code, reason: seen.frame.reason }
          : undefined,
      ),
  };
};

test('create session() reports every phase, relays a player both ways, and its end leaves no process and no port', async () => {
  const { coordinator, config } = await start();
  const session = order();
  coordinator.send(session);
  expect((await coordinator.message('SESSION_STARTING')).phase).toBe('launching');
  expect((await coordinator.message('SESSION_STARTING')).phase).toBe('app_started');
  const ready = await coordinator.message('CONNECT_TO_SESSION');
  expect(ready).toMatchObject({ ip: '127.0.0.1', code: session.code, generation: 1 });
  expect(processesOf(session.session_id)).toHaveLength(2);

  const visitor = player(coordinator, session, 7);
  visitor.say({ type: 'listStreamers' });
  expect((await visitor.hear('config')).peerConnectionOptions.iceServers[0].urls).toEqual([
    'stun:stun.example:3478',
  ]);
  const [id] = (await visitor.hear('streamerList')).ids;
  expect(id).toBe(`vitrina-${session.session_id}`);
  visitor.say({ type: 'subscribe', streamerId: id });
  expect((await visitor.hear('offer')).sdp).toBe('an offer');
  visitor.say({ type: 'answer', sdp: 'an answer' });
  expect((await visitor.hear('iceCandidate')).candidate.candidate).toBe('an answer');
  expect((await coordinator.message('SESSION_CONNECTION_ESTABLISHED')).channel).toBe(7);

  coordinator.send({
    verb: 'END_SESSION',
    session_id: session.session_id,
    generation: 1,
    reason: 'last_left',
  });
  expect((await visitor.closed()).code).toBe(4410);
  expect((await coordinator.message('SESSION_ENDED')).reason).toBe('last_left');
  expect(processesOf(session.session_id)).toEqual([]);
  expect(await takenPorts(config)).toEqual([]);
});
