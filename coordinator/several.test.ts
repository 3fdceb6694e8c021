import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test';
import { bookedSchema } from '../shared/protocol/bookings.ts';
import { appsSchema } from '../shared/protocol/http.ts';
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

  test('startRig() gives no place in a session whose host has gone to another one', async () => {
    const { member, id } = await moved();
    const join = { body: { code: member.session.code } };
    expect(await first.refused(first.request('POST', '/api/v1/join', join))).toBe('host_offline');
    const guest = await second.join(member.session.code);
    expect((await sessionRow(id))?.data).toContain(guest.participant_id);
    expect(await first.refused(first.request('POST', '/api/v1/join', join))).toBe('host_offline');
  });

  test('startRig() reports no end of a session that goes on at another one', async () => {
    const { member, id, agent } = await moved();
    const path = `/api/v1/sessions/${id}`;
    const token = member.participant_token;
    expect(await first.refused(first.request('DELETE', path, { token }))).toBe('host_offline');
    expect((await sessionRow(id))?.phase).toBe('ready');
    expect((await second.request('DELETE', path, { token })).status).toBe(204);
    expect(await agent.next('END_SESSION')).toMatchObject({ session_id: id });
  });

  test('startRig() closes the link of a host that has gone to another one', async () => {
    const old = await first.host();
    await second.host();
    const passing = first.pass(60_000, old);
    expect(await old.closed()).toMatchObject({ code: 1001 });
    await expect(passing).rejects.toThrow('closed with 1001');
  });

  test('startRig() takes no right code for a wrong one', async () => {
    const host = await first.host();
    const { session } = await first.session(host);
    const join = { body: { code: session.code } };
    for (let count = 0; count < 12; count++) {
      expect(await second.refused(second.request('POST', '/api/v1/join', join))).toBe('host_offline');
    }
    expect((await first.request('POST', '/api/v1/join', join)).status).toBe(200);
    const wrong = { body: { code: session.code === '0000' ? '1111' : '0000' } };
    expect(await second.refused(second.request('POST', '/api/v1/join', wrong))).toBe('code_unknown');
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
