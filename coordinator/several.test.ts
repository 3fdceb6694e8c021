import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { bookedSchema } from '../shared/protocol/bookings.ts';
import { appsSchema, participationSchema, sessionSchema } from '../shared/protocol/http.ts';
import { fakeClock } from '../shared/testing/clock.ts';
import { memoryDatabase } from './testing/database.ts';
import { type Rig, startRig } from './testing/rig.ts';
import { entry } from './testing/store.ts';

setDefaultTimeout(60_000);

/** Two coordinators with one clock on one database: two processes know no more of each other. */
let first: Rig;
let second: Rig;
const db = () => databases.at(-1) as ReturnType<typeof memoryDatabase>;
const databases: ReturnType<typeof memoryDatabase>[] = [];

beforeEach(async () => {
  const clock = fakeClock();
  databases.push(memoryDatabase());
  first = await startRig({ coordinator_name: 'first' }, db(), clock);
  second = await startRig({ coordinator_name: 'second' }, db(), clock);
});
afterEach(async () => {
  await Promise.all([first, second].map((rig) => rig[Symbol.asyncDispose]()));
});

const sessionRow = (id: string) => db().read(({ sessions }) => sessions.get({ id }));

describe('startRig() beside another one', () => {
  /** A session of the first one whose host has dialled the second one while the old link looks alive. */
  const moved = async () => {
    const old = await first.host();
    const member = await first.session(old);
    const { id } = member.session;
    const running = [{ session_id: id, generation: 1, state: 'ready' as const }];
    const agent = await second.host({ sessions: running });
    return { member, id, agent };
  };

  test('startRig() gives a place in a session whose host has gone to another one, good at both', async () => {
    const { member, id } = await moved();
    const guest = await first.join(member.session.code);
    expect((await sessionRow(id))?.data).toContain(guest.participant_id);
    const path = `/api/v1/sessions/${id}`;
    for (const rig of [first, second]) {
      for (const { participant_token: token } of [guest, member])
        expect((await rig.request('GET', path, { token })).status).toBe(200);
    }
  });

  test('startRig() ends a session that goes on at another one', async () => {
    const { member, id, agent } = await moved();
    const path = `/api/v1/sessions/${id}`;
    const token = member.participant_token;
    expect((await first.request('DELETE', path, { token })).status).toBe(204);
    expect((await sessionRow(id))?.phase).toBe('ended');
    await second.pass(2_500, agent);
    expect(await agent.next('END_SESSION')).toMatchObject({ session_id: id });
    expect(await second.phase(member)).toBe('ended');
  });

  test('startRig() closes the link of a host that has gone to another one', async () => {
    const old = await first.host();
    await second.host();
    const passing = first.pass(60_000, old);
    expect(await old.closed()).toMatchObject({ code: 1001 });
    await expect(passing).rejects.toThrow('closed with 1001');
  });

  test('startRig() opens by code and by invite what is at another one, and counts only wrong codes as wrong', async () => {
    const host = await first.host();
    const { session } = await first.session(host);
    const doors = [{ code: session.code }, { invite: session.invite }];
    for (let count = 0; count < 6; count++) {
      for (const body of doors)
        expect((await second.request('POST', '/api/v1/join', { body })).status).toBe(200);
    }
    const wrong = { body: { code: session.code === '0000' ? '1111' : '0000' } };
    expect(await second.refused(second.request('POST', '/api/v1/join', wrong))).toBe('code_unknown');
    await first.pass(2_500, host);
    const { participant_token } = await first.join(session.code);
    const told = { session, participant_id: '', owner: false, participant_token };
    expect(await second.phase(told)).toBe('ready');
    const { participants } = JSON.parse((await sessionRow(session.id))?.data ?? '');
    expect(participants).toHaveLength(14);
  });

  test('startRig() keeps what happens to one session at both at once', async () => {
    const host = await first.host();
    const member = await first.session(host);
    const { id } = member.session;
    const { socket, channel } = await first.player(host, member);
    const came = (await Promise.all([1, 2, 3].map(() => second.join(member.session.code)))).map(
      ({ participant_id }) => participant_id,
    );
    expect(channel).toBeGreaterThanOrEqual(0);
    await first.pass(5_000, host);
    const { participants, facts } = JSON.parse((await sessionRow(id))?.data ?? '');
    expect(participants.map((one: { id: string }) => one.id)).toEqual([member.participant_id, ...came]);
    expect(participants[0]).toMatchObject({ channels: 1, came: true });
    expect(facts).toBeGreaterThan(0);
    socket.close();
  });

  test('startRig() tells a page that waits at another one than the host is at', async () => {
    const host = await first.host();
    const member = await first.session(host);
    const path = `/api/v1/sessions/${member.session.id}`;
    const token = member.participant_token;
    const { version } = await second.get(sessionSchema, second.request('GET', path, { token }));
    const news = second.get(sessionSchema, second.request('GET', `${path}?after=${version}`, { token }));
    await first.join(member.session.code);
    await first.pass(2_500, host);
    await second.pass(2_500);
    expect((await news).version).toBeGreaterThan(version);
  });

  test('startRig() starts on a host of another one, in turn with those that start there', async () => {
    const host = await first.host({ seats: 2 });
    await first.pass(2_500, host);
    await second.pass(2_500);
    const { apps } = await second.get(appsSchema, second.request('GET', '/api/v1/apps'));
    expect(apps.find(({ name }) => name === 'Loft')).toMatchObject({ seats: 2, seats_free: 2 });
    const start = { body: { app: 'Loft' } };
    const member = await second.get(participationSchema, second.request('POST', '/api/v1/sessions', start));
    expect((await first.request('POST', '/api/v1/sessions', start)).status).toBe(201);
    expect(await second.refused(second.request('POST', '/api/v1/sessions', start))).toBe('servers_busy');
    await first.pass(2_500);
    const ordered = [await host.launch(), await host.launch()].map(({ session_id }) => session_id);
    expect(ordered).toContain(member.session.id);
    await host.heartbeat();
    await first.pass(2_500, host);
    expect(await second.phase(member)).toBe('ready');
    const path = `/api/v1/sessions/${member.session.id}`;
    const token = member.participant_token;
    expect((await second.request('DELETE', path, { token })).status).toBe(204);
    await first.pass(2_500, host);
    expect(await host.next('END_SESSION')).toMatchObject({ session_id: member.session.id });
  });

  test('startRig() starts nothing on a host whose link is gone, or whose coordinator does not have it', async () => {
    const host = await first.host();
    await first.pass(2_500, host);
    await second.pass(2_500);
    host.terminate();
    const start = { body: { app: 'Loft' } };
    for (let looks = 0; looks < 50; looks++) {
      await first.pass(2_500);
      const { apps } = await second.get(appsSchema, second.request('GET', '/api/v1/apps'));
      if (apps.find(({ name }) => name === 'Loft')?.seats === 0) break;
    }
    expect(await second.refused(second.request('POST', '/api/v1/sessions', start))).toBe('app_offline');
  });

  test('startRig() sends somebody away whose host is at another one', async () => {
    const host = await first.host();
    const member = await first.session(host);
    const guest = await first.join(member.session.code);
    const { socket } = await first.player(host, guest);
    const path = `/api/v1/sessions/${member.session.id}/admission`;
    const body = { participant_id: guest.participant_id, admitted: false };
    const answered = await second.request('POST', path, { token: member.participant_token, body });
    expect(answered.status).toBe(204);
    await first.pass(2_500, host);
    expect(await socket.closed()).toMatchObject({ code: 1001 });
    const { session, participant_token: token } = guest;
    const asked = first.request('POST', `/api/v1/sessions/${session.id}/tickets`, { token });
    expect((await asked).status).toBeGreaterThanOrEqual(400);
  });

  test('startRig() ends what a coordinator left that is away for good, with its host', async () => {
    const host = await first.host();
    const { session } = await first.session(host);
    host.terminate();
    await first.stop();
    for (let passed = 0; passed < 300_000; passed += 2_500) {
      second.clock.advance(2_500);
      await second.request('GET', '/healthz');
    }
    expect((await sessionRow(session.id))?.phase ?? 'forgotten').not.toBe('ready');
    const [record, code] = await db().read(async ({ records, codes }) => [
      await records.get({ session_id: session.id }),
      await codes.get({ code: session.code }),
    ]);
    expect(record).toMatchObject({ host: 'a' });
    expect(code?.free_at ?? null).not.toBeNull();
  });

  test('startRig() ends the session of a booking that is cancelled, wherever the host is', async () => {
    const host = await first.host();
    const order = { app: 'Loft', date: '2026-01-01', time: '00:30', minutes: 30, zone: 'UTC' };
    const answered = first.request('POST', '/api/v1/bookings', { body: order });
    const { id, token = '' } = await first.get(bookedSchema, answered);
    await first.pass(1_800_000, host);
    const { session_id } = await host.launch();
    await host.heartbeat();
    const booking = await second.request('GET', `/api/v1/bookings/${id}`, { token });
    const cancelled = await second.request('DELETE', `/api/v1/bookings/${id}`, {
      token,
      headers: { 'If-Match': booking.headers.get('etag') ?? '' },
    });
    expect(cancelled.status).toBe(200);
    expect((await sessionRow(session_id))?.phase).toBe('ended');
    expect(await host.next('END_SESSION')).toMatchObject({ session_id });
  });

  test('startRig() leaves the hosts of another servers.json alone', async () => {
    const third = await startRig({ coordinator_name: 'third' }, db(), fakeClock(), [entry('c', 'Attic')]);
    try {
      const names = await db().read(({ hosts }) => hosts.find({}));
      expect(names.map(({ name }) => name).toSorted()).toEqual(['a', 'b', 'c']);
      const { apps } = await third.get(appsSchema, third.request('GET', '/api/v1/apps'));
      expect(apps.map(({ name }) => name).toSorted()).toEqual(['Attic', 'Loft', 'Villa']);
    } finally {
      await third[Symbol.asyncDispose]();
    }
  });
});
