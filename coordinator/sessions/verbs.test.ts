import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { errors } from '../../shared/errors.ts';
import { systemIds } from '../../shared/ids.ts';
import { limits } from '../../shared/limits.ts';
import { fromClient, toClient } from '../../shared/protocol/client-verbs.ts';
import { encode, type MessageOf } from '../../shared/protocol/message.ts';
import { createAccessTokens } from '../accounts/tokens.ts';
import { bounds } from '../kit/limits.ts';
import { memoryBus } from '../testing/bus.ts';
import { memoryDatabase } from '../testing/database.ts';
import { type Rig, startRig } from '../testing/rig.ts';
import { account } from '../testing/rows.ts';
import { openSocket, type TestSocket } from '../testing/socket.ts';
import { entry } from '../testing/store.ts';
import { createClients } from './verbs.ts';

setDefaultTimeout(60_000);

type Answer = MessageOf<typeof toClient>;

/** The next message, checked against the protocol. */
const next = (socket: TestSocket): Promise<Answer> =>
  socket.next('an answer', (frame) => {
    const message: Record<string, unknown> = JSON.parse(String(frame));
    const name = String(message.msg ?? message.verb);
    const schema = Object.entries(toClient).find(([row]) => row === name)?.[1];
    if (schema === undefined) throw new Error(`no such answer: ${name}`);
    return schema.parse(message);
  });

const connect = async (rig: Rig, headers: Record<string, string> = {}) => {
  const socket = await rig.client(headers);
  const connected = await next(socket);
  const send = (message: MessageOf<typeof fromClient>) => socket.send(encode(fromClient, message));
  const ask = (message: MessageOf<typeof fromClient>) => {
    send(message);
    return next(socket);
  };
  return { socket, connected, send, ask };
};

/** A rig with the apps for accounts only, and how to connect as the account that there is. */
const rigWithAccount = async (patch: object = {}) => {
  const db = memoryDatabase();
  const rig = await startRig(patch, db);
  const { clock, store, recorded } = rig;
  const anna = account(1);
  await db.transact(async ({ accounts, apps }) => {
    await accounts.insert(anna);
    for (const name of ['Loft', 'Villa']) await apps.update({ name }, { who_may_start: 'accounts' });
  });
  const tokens = createAccessTokens({
    db,
    store,
    clock,
    bus: memoryBus(clock),
    ids: systemIds,
    log: recorded.log,
  });
  const { access_token } = await tokens.issue(anna);
  return { rig, db, anna, connectAs: () => connect(rig, { Authorization: `Bearer ${access_token}` }) };
};

const plan = {
  verb: 'PLAN_SESSION',
  rc_name: 'Loft',
  date: '2/1/2026',
  time: '10:00',
  minutes: 30,
  id: 'p',
} as const;

describe(`${createClients.name}()`, () => {
  test('createClients() gives each client its own id first', async () => {
    await using rig = await startRig();
    const [one, two] = [await connect(rig), await connect(rig)];
    const ids = [one, two].map(({ connected }) => ('user_id' in connected ? connected.user_id : ''));
    expect(ids[0]).toMatch(/^[\w-]{22}$/);
    expect(ids[0]).not.toBe(ids[1]);
  });

  test('createClients() lists entries X to Y, both included, without keys', async () => {
    await using rig = await startRig();
    const { ask } = await connect(rig);
    const names = async (range: string) => {
      const answer = await ask({ verb: 'GET_SERVERS', range, id: range });
      expect(answer).toHaveProperty('id', range);
      expect(JSON.stringify(answer)).not.toContain('key');
      const { hostname: ip, port } = new URL(rig.base);
      for (const server of 'servers' in answer ? answer.servers : [])
        expect(server).toMatchObject({ ip, port });
      return 'servers' in answer
        ? answer.servers.map(({ server_name, rc_info }) => `${server_name} ${rc_info.rc_name}`)
        : 'msg' in answer && answer.msg;
    };
    expect(await names('0-1')).toEqual(['a Loft', 'b Loft']);
    expect(await names('2-2')).toEqual(['b Villa']);
    expect(await names('1-99')).toEqual(['b Loft', 'b Villa']);
    expect(await names('3-9')).toBe('SERVERS_NOT_FOUND');
    for (const range of ['1-0', '0-100']) {
      expect(await ask({ verb: 'GET_SERVERS', range })).toMatchObject({ msg: 'ERROR', code: 'malformed' });
    }
    rig.store.edit(Array.from({ length: 101 }, (_, n) => entry(`h${n}`, 'Loft')));
    expect(await names('0-99')).toHaveLength(bounds.servers_per_answer);
  });

  test('createClients() starts a session and says where to connect, and only then', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const { socket, ask } = await connect(rig);
    const asked = ask({ verb: 'CREATE_SESSION', rc_name: 'Loft', language: 'ru', id: '7' });
    const order = await agent.next('CREATE_SESSION');
    expect(order.language).toBe('ru');
    await agent.heartbeat();
    expect(socket.rest()).toEqual([]);
    agent.ready(order);
    const answer = await asked;
    if (!('signalling_url' in answer)) throw new Error(JSON.stringify(answer));
    expect(answer).toMatchObject({
      verb: 'CONNECT_TO_SESSION',
      ip: '127.0.0.1',
      port: new URL(rig.base).port,
      code: order.code,
      id: '7',
    });
    const player = await openSocket(answer.signalling_url);
    expect(await agent.next('CONNECT_USER_TO_SESSION')).toMatchObject({ user_id: order.user_id });

    const guest = await connect(rig);
    const joined = await guest.ask({ verb: 'CONNECT_SESSION_WITH_CODE', code: order.code, id: '8' });
    expect(joined).toMatchObject({ verb: 'CONNECT_TO_SESSION', session_id: order.session_id, id: '8' });
    socket.close();
    player.send('the client is gone, the player plays on');
    await agent.nextFrame('data');
  });

  test('createClients() tells the phases to who asks for them', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const { socket, ask } = await connect(rig);
    const first = await ask({ verb: 'CREATE_SESSION', rc_name: 'Loft', progress: true, id: 'p' });
    expect(first).toMatchObject({ msg: 'SESSION_PROGRESS', phase: 'assigned', id: 'p' });
    const { session_id, generation, ...order } = await agent.next('CREATE_SESSION');
    agent.send({ msg: 'SESSION_STARTING', session_id, generation, phase: 'launching' });
    expect(await next(socket)).toMatchObject({ phase: 'launching' });
    agent.send({ msg: 'SESSION_STARTING', session_id, generation, phase: 'app_started' });
    expect(await next(socket)).toMatchObject({ phase: 'app_started' });
    agent.ready({ session_id, generation, ...order });
    expect(await next(socket)).toMatchObject({ verb: 'CONNECT_TO_SESSION', id: 'p' });
  });

  test('createClients() says SERVERS_BUSY with the reason, ERROR for an unknown app, SESSION_FAILED for a failed start', async () => {
    await using rig = await startRig();
    const { ask } = await connect(rig);
    const create = (rc_name = 'Loft') => ask({ verb: 'CREATE_SESSION', rc_name });
    expect(await create('Castle')).toMatchObject({ msg: 'ERROR', code: 'app_unknown' });
    expect(await create()).toMatchObject({ msg: 'SERVERS_BUSY', reason: expect.stringContaining('No host') });
    const agent = await rig.host({ seats: 1 });
    const failing = create();
    const { session_id, generation } = await agent.next('CREATE_SESSION');
    const other = await connect(rig);
    const busy = await other.ask({ verb: 'CREATE_SESSION', rc_name: 'Loft', id: 'b' });
    expect(busy).toMatchObject({
      msg: 'SERVERS_BUSY',
      reason: expect.stringContaining('All hosts'),
      id: 'b',
    });
    agent.send({ msg: 'SESSION_ENDED', session_id, generation, reason: 'app_exited' });
    expect(await failing).toMatchObject({
      msg: 'SESSION_FAILED',
      session_id,
      reason: 'app_exited',
      text: 'The app was closed.',
    });
  });

  test('createClients() ends a start that nobody waits for any more', async () => {
    await using rig = await startRig();
    const agent = await rig.host();
    const { socket, send } = await connect(rig);
    send({ verb: 'CREATE_SESSION', rc_name: 'Loft' });
    const { session_id } = await agent.next('CREATE_SESSION');
    socket.close();
    expect(await agent.next('END_SESSION')).toMatchObject({ session_id, reason: 'last_left' });
  });

  test('createClients() bounds the sessions of one client', async () => {
    await using rig = await startRig();
    await rig.host({ seats: 9 });
    const { send, ask } = await connect(rig);
    for (let n = 0; n < bounds.sessions_per_client; n++) send({ verb: 'CREATE_SESSION', rc_name: 'Loft' });
    expect(await ask({ verb: 'CREATE_SESSION', rc_name: 'Loft', id: 'more' })).toMatchObject({
      msg: 'ERROR',
      code: 'too_many_messages',
      id: 'more',
    });
  });

  test('createClients() plans a session: PLAN_SESSION is answered with a code, only free times can be had', async () => {
    await using rig = await startRig({ time_zone: 'Europe/Berlin', public_url: 'https://vitrina.example' });
    await rig.host({ seats: 1 });
    const { ask } = await connect(rig);
    const plan = { verb: 'PLAN_SESSION', rc_name: 'Loft', date: '2/1/2026', time: '10:00' } as const;
    const planned = await ask({ ...plan, id: 'p' });
    expect(planned).toMatchObject({
      msg: 'CONNECTION_CODE',
      code: expect.stringMatching(/^\d{4}$/),
      starts_at: Date.UTC(2026, 0, 2, 9),
      date: '02/01/2026',
      time: '10:00',
      zone: 'Europe/Berlin',
      invite_url: expect.stringMatching(/^https:\/\/vitrina\.example\/i\//),
      token: expect.stringMatching(/^[\w-]{43}$/),
      id: 'p',
    });
    const refusals: [changes: object, code: string][] = [
      [{}, 'time_taken'],
      [{ time: '10:05' }, 'time_taken'],
      [{ rc_name: 'Castle' }, 'app_unknown'],
      [{ date: '31/12/2025' }, 'time_past'],
      [{ date: '30/2/2026' }, 'malformed'],
      [{ date: '2026-01-02' }, 'malformed'],
      [{ date: '1/13/2026' }, 'malformed'],
      [{ zone: '+05:30' }, 'malformed'],
      [{ zone: '2026-01-01T00:00+05:30' }, 'malformed'],
      [{ date: '2/1/26' }, 'malformed'],
      [{ time: '25:00' }, 'malformed'],
      [{ time: '10:01' }, 'malformed'],
      [{ zone: 'Mars/Base' }, 'malformed'],
    ];
    for (const [changes, code] of refusals) {
      expect(await ask({ ...plan, ...changes, id: 'q' })).toMatchObject({ msg: 'ERROR', code, id: 'q' });
    }
    expect(await ask({ ...plan, date: '12/24/2026' })).toMatchObject({
      text: expect.stringContaining('the second number is the month: day/month/year'),
    });
    expect(await ask({ ...plan, zone: 'utc', minutes: 5 })).toMatchObject({
      msg: 'CONNECTION_CODE',
      starts_at: Date.UTC(2026, 0, 2, 10),
      ends_at: Date.UTC(2026, 0, 2, 10, 5),
    });
  });

  test('createClients() acts for the account that opened the socket', async () => {
    const { rig, db, anna, connectAs } = await rigWithAccount({ quota_sessions: 1 });
    await using _ = rig;
    await rig.host({ seats: 9 });
    const { ask } = await connectAs();
    const stranger = await connect(rig);
    expect(await stranger.ask(plan)).toMatchObject({ msg: 'ERROR', code: 'account_required', id: 'p' });
    const planned = await ask(plan);
    expect(planned).toMatchObject({ msg: 'CONNECTION_CODE', id: 'p' });
    expect(planned).not.toHaveProperty('token');
    const booked = await db.read(({ bookings }) => bookings.find({}));
    expect(booked.map(({ account_id }) => account_id)).toEqual([anna.id]);
    expect(await ask({ ...plan, time: '12:00' })).toMatchObject({ msg: 'ERROR', code: 'quota_exceeded' });

    await db.transact(({ accounts }) => accounts.update({ id: anna.id }, { quota_sessions: 2 }));
    expect(await ask({ verb: 'CREATE_SESSION', rc_name: 'Loft', progress: true })).toMatchObject({
      msg: 'SESSION_PROGRESS',
    });
    const sessions = await db.read((tables) => tables.sessions.find({}));
    expect(sessions.map(({ account_id }) => account_id)).toEqual([anna.id]);
  });

  test('createClients() asks anew who the account is, and refuses one that is out', async () => {
    const { rig, db, anna, connectAs } = await rigWithAccount();
    await using _ = rig;
    await rig.host();
    const { ask } = await connectAs();
    expect(await ask(plan)).toMatchObject({ msg: 'CONNECTION_CODE' });
    for (const out of [{ epoch: 1 }, { epoch: 0, state: 'rejected' }] as const) {
      await db.transact(({ accounts }) => accounts.update({ id: anna.id }, out));
      expect(await ask({ ...plan, time: '12:00' })).toMatchObject({ code: 'unauthorized', id: 'p' });
      const create = { verb: 'CREATE_SESSION', rc_name: 'Loft', id: 'c' } as const;
      expect(await ask(create)).toMatchObject({ msg: 'ERROR', code: 'unauthorized', id: 'c' });
    }
  });

  test('createClients() counts what starts something as POST /sessions is counted', async () => {
    await using rig = await startRig({ starts_per_minute: 4 });
    await rig.host({ seats: 9 });
    const one = await connect(rig);
    const two = await connect(rig);
    expect(await one.ask({ ...plan, rc_name: 'Castle' })).toMatchObject({ code: 'app_unknown' });
    expect(await two.ask({ verb: 'CREATE_SESSION', rc_name: 'Castle' })).toMatchObject({
      code: 'app_unknown',
    });
    expect(await one.ask({ verb: 'CONNECT_SESSION_WITH_CODE', code: '0000' })).toMatchObject({
      msg: 'SESSION_NOT_EXIST',
    });
    const post = () => rig.request('POST', '/api/v1/sessions', { body: { app: 'Castle' } });
    expect([(await post()).status, (await post()).status]).toEqual([404, 429]);
    const verbs = [
      { verb: 'CREATE_SESSION', rc_name: 'Loft', id: 'v' },
      { verb: 'CONNECT_SESSION_WITH_CODE', code: '0000', id: 'v' },
      { ...plan, id: 'v' },
    ] as const;
    for (const verb of verbs) {
      const refused = {
        msg: 'ERROR',
        code: 'too_many_messages',
        text: expect.stringContaining('wait 15 s'),
        id: 'v',
      };
      expect(await two.ask(verb)).toMatchObject(refused);
    }
    expect(await two.ask({ verb: 'GET_SERVERS', range: '0-1' })).toMatchObject({ msg: 'SERVERS_FOUND' });
    rig.clock.advance(15_000);
    const three = await connect(rig);
    expect(await three.ask({ ...plan, rc_name: 'Castle' })).toMatchObject({ code: 'app_unknown' });
  });

  test('createClients() answers what it does not understand, with the id where there is one', async () => {
    await using rig = await startRig();
    const { socket } = await connect(rig);
    const rows: [frame: string, code: string, id?: string][] = [
      ['null', 'malformed'],
      ['[]', 'malformed'],
      ['{"verb"', 'malformed'],
      ['{"verb":7,"id":"a"}', 'malformed', 'a'],
      ['{"verb":"DANCE","id":"b"}', 'unknown_verb', 'b'],
      ['{"verb":"__proto__"}', 'unknown_verb'],
      ['{"verb":"GET_SERVERS","range":"all","id":"c"}', 'malformed', 'c'],
      ['{"verb":"GET_SERVERS","range":"0-1","more":1,"id":"d"}', 'malformed', 'd'],
      [`{"verb":"GET_SERVERS","id":"${'x'.repeat(65)}"}`, 'malformed'],
    ];
    for (const [frame, code, id] of rows) {
      socket.send(frame);
      const answer = await next(socket);
      expect(answer).toMatchObject({ msg: 'ERROR', code });
      expect(answer).toEqual(
        id === undefined
          ? expect.not.objectContaining({ id: expect.anything() })
          : expect.objectContaining({ id }),
      );
    }
    socket.send('x'.repeat(limits.frame_bytes + 1));
    expect((await socket.closed()).code).toBe(1009);
  });

  test('createClients() uses the public URL in what it answers', async () => {
    await using rig = await startRig({ public_url: 'https://vitrina.example' });
    const agent = await rig.host();
    const { ask } = await connect(rig);
    const asked = ask({ verb: 'CREATE_SESSION', rc_name: 'Loft' });
    await agent.launch();
    expect(await asked).toMatchObject({
      ip: 'vitrina.example',
      port: '443',
      signalling_url: expect.stringMatching(/^wss:\/\/vitrina\.example\/api\/v1\/sessions\//),
    });
  });

  test('createClients() ends connections that say nothing for a long time, but not of who waits or takes part', async () => {
    await using rig = await startRig({ first_join_seconds: 3_600, start_timeout_seconds: 3_600 });
    const agent = await rig.host();
    const [idle, talks] = [await rig.client(), await rig.client()];
    const [joined, waits] = [await rig.client(), await rig.client()];
    joined.send('{"verb":"CREATE_SESSION","rc_name":"Loft"}');
    await agent.launch();
    waits.send('{"verb":"CREATE_SESSION","rc_name":"Loft"}');
    await agent.next('CREATE_SESSION');
    const ask = async (client: TestSocket) => {
      client.send('{"verb":"GET_SERVERS","range":"0-1"}');
      await client.next('servers', (frame) => String(frame).includes('SERVERS_FOUND') || undefined);
    };
    await rig.pass(bounds.client_idle_ms / 2, agent);
    await ask(talks);
    await rig.pass(bounds.client_idle_ms / 2 - 1_000, agent);
    await ask(idle);
    await rig.pass(bounds.client_idle_ms / 2, agent);
    for (const client of [talks, joined, waits]) await ask(client);
    await rig.pass(bounds.client_idle_ms / 2, agent);
    expect((await idle.closed()).code).toBe(errors.idle.close);
    for (const client of [talks, joined, waits]) await ask(client);
  });
});
