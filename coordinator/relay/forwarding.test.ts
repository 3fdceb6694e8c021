import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { silentLog } from '../../shared/log.ts';
import { participationSchema } from '../../shared/protocol/http.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { startRedis } from '../../shared/testing/redis.ts';
import { openRedisBus } from '../kit/bus-redis.ts';
import { memoryDatabase } from '../testing/database.ts';
import type { FakeAgent } from '../testing/fake-agent.ts';
import { type Rig, startRig } from '../testing/rig.ts';
import { openSocket, type TestSocket } from '../testing/socket.ts';
import { forwardPlayer } from './forwarding.ts';

setDefaultTimeout(60_000);

const redis = await startRedis();
afterAll(() => redis[Symbol.asyncDispose]());

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (socket: TestSocket) =>
  socket.next('a text', (frame) => (typeof frame === 'string' ? frame : undefined));

/** Two coordinators on one database and one Redis; the host is the first one's. */
const pair = async () => {
  const [db, clock] = [memoryDatabase(), fakeClock()];
  const parts = { clock: systemClock, ids: systemIds, log: silentLog };
  const opened = new AsyncDisposableStack();
  /** Starts the coordinator of that name, again where it has been before. */
  const open = async (coordinator_name: string): Promise<Rig> => {
    const bus = await openRedisBus(redis.url, parts);
    opened.defer(() => bus.stop());
    return opened.use(await startRig({ coordinator_name }, db, clock, undefined, bus));
  };
  const [near, far] = [await open('near'), await open('far')];
  const host = await near.host();
  await near.pass(1_000, host);
  return { near, far, host, open, [Symbol.asyncDispose]: () => opened.disposeAsync() };
};

describe(`${forwardPlayer.name}()`, () => {
  test('forwardPlayer() carries a player to a host of another coordinator, both ways, in order, until it closes', async () => {
    await using both = await pair();
    const { near, far, host } = both;
    const member = await near.session(host);
    const { socket, channel } = await far.player(host, member);
    const said = Array.from({ length: 80 }, (_, at) => `{"at":${at},"\u00e9":"${'x'.repeat(at * 20)}"}`);
    for (const one of said) socket.send(one);
    for (const one of said) {
      const { payload } = await host.nextFrame('data');
      expect(new TextDecoder().decode(payload)).toBe(one);
    }
    for (const one of said) host.relay({ kind: 'data', channel, payload: utf8(one) });
    for (const one of said) expect(await text(socket)).toBe(one);
    socket.close(1000, 'bye');
    expect(await host.nextFrame('close')).toMatchObject({ channel, code: 1000, reason: 'bye' });
  });

  test('forwardPlayer() lets the end, a dismissal and a lost link reach a page elsewhere', async () => {
    await using both = await pair();
    const { near, far, host } = both;
    const member = await near.session(host);
    const guest = await far.join(member.session.code);
    const player = await far.player(host, guest);
    const body = { participant_id: guest.participant_id, admitted: false };
    const path = `/api/v1/sessions/${member.session.id}`;
    await far.request('POST', `${path}/admission`, { token: member.participant_token, body });
    expect(await player.socket.closed()).toMatchObject({ code: 1001 });
    const own = await far.player(host, member);
    host.terminate();
    expect(await own.socket.closed()).toMatchObject({ code: 1012 });
  });

  test('forwardPlayer() gives a page that is let in by nobody the refusal of the coordinator that knows', async () => {
    await using both = await pair();
    const { near, far, host } = both;
    const member = await near.session(host);
    const url = await far.ticketUrl(member);
    const wrong = await openSocket(url.replace(/ticket=.*/, 'ticket=wrong'));
    const here = await openSocket(
      url.replace(far.socketBase, near.socketBase).replace(/ticket=.*/, 'ticket=wrong'),
    );
    expect(await wrong.closed()).toEqual(await here.closed());
    const unknown = await openSocket(`${far.socketBase}/api/v1/sessions/nowhere/signalling?ticket=x`);
    expect((await unknown.closed()).code).toBeGreaterThan(4_000);
  });

  test('forwardPlayer() lets a page go on through another coordinator by the ticket that it has', async () => {
    await using both = await pair();
    const { near, far, host } = both;
    const member = await near.session(host);
    const name = 'resumable-name-of-22-c';
    const url = `${await far.ticketUrl(member)}&resumable=${name}`;
    const dialled = async (address: string, agent: FakeAgent) => {
      const socket = await openSocket(address);
      return { socket, ...(await agent.next('CONNECT_USER_TO_SESSION')) };
    };
    const first = await dialled(url, host);
    await far[Symbol.asyncDispose]();
    expect((await first.socket.closed()).code).toBeGreaterThan(1_000);
    const again = await dialled(url.replace(far.socketBase, near.socketBase), host);
    expect(again.user_id).toBe(member.participant_id);
  });

  test('forwardPlayer() serves a page of a coordinator that was started again before its host went to another one', async () => {
    await using both = await pair();
    const { near, far, host, open } = both;
    const member = await near.session(host);
    await near[Symbol.asyncDispose]();
    const again = await open('near');
    const { id } = member.session;
    const agent = await far.host({ sessions: [{ session_id: id, generation: 1, state: 'ready' }] });
    await far.join(member.session.code);
    // It hears of what is stored there, of a session that it thinks it has.
    await again.pass(1_000);
    const { body } = await again.request('POST', `/api/v1/sessions/${id}/tickets`, {
      token: member.participant_token,
    });
    expect(body).toMatchObject({ resumable: true });
    await again.player(agent, member);
  });

  test('forwardPlayer() is what a session needs that starts where its host is not', async () => {
    await using both = await pair();
    const { near, far, host } = both;
    await near.pass(1_000, host);
    await far.pass(1_000);
    let answered = await far.request('POST', '/api/v1/sessions', { body: { app: 'Loft' } });
    while (answered.status === 503) {
      await near.pass(1_000, host);
      answered = await far.request('POST', '/api/v1/sessions', { body: { app: 'Loft' } });
    }
    const member = participationSchema.parse(answered.body);
    const order = await host.next('CREATE_SESSION');
    host.ready(order);
    await host.heartbeat();
    while ((await far.phase(member)) !== 'ready') await near.pass(1_000, host);
    const { socket } = await far.player(host, member);
    socket.send('hello');
    expect(new TextDecoder().decode((await host.nextFrame('data')).payload)).toBe('hello');
  });
});
