import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { eventNames } from '../../shared/protocol/webhooks.ts';
import { describedRoutes } from '../kit/http-openapi.ts';
import { memoryDatabase } from '../testing/database.ts';
import { addAccounts, password } from '../testing/logins.ts';
import { type Answered, startRig } from '../testing/rig.ts';
import { recordRow, webhookRow } from '../testing/rows.ts';

setDefaultTimeout(120_000);

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Every value in this one that is no object, with its path; elements of a list have that of the list. */
const valuesIn = (value: unknown, path = ''): [path: string, value: unknown][] =>
  Array.isArray(value)
    ? value.flatMap((one) => valuesIn(one, path))
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, one]) => valuesIn(one, path === '' ? name : `${path}.${name}`))
      : [[path, value]];

/** Later than 1973 and earlier than 5138, as ms since 1970. */
const isEpochMs = (value: unknown): boolean => typeof value === 'number' && value > 1e11 && value < 1e14;

/** A coordinator on a port, its administrator, and what it has answered. */
const rig = async () => {
  const db = memoryDatabase();
  await addAccounts({ world: { db } });
  const under = await startRig({}, db);
  const seen: [what: string, field: string, value: unknown][] = [];
  const bodyOf = async (what: string, answered: Promise<Answered>) => {
    const { status, body } = await answered;
    if (status !== 200 && status !== 201) throw new Error(`${what}: ${status} ${JSON.stringify(body)}`);
    seen.push(...valuesIn(body).map(([field, value]): (typeof seen)[number] => [what, field, value]));
    // biome-ignore lint/suspicious/noExplicitAny: what stands on the wire is looked at, which a schema would have read already
    return body as any;
  };
  const credentials = { email: 'someone1@example.com', password };
  const login = await bodyOf('POST /login', under.request('POST', '/api/v1/login', { body: credentials }));
  const ask = (method: string, path: string, options: { body?: object; token?: string } = {}) => {
    const what = `${method} ${path.replace(/\?.*/, '')}`;
    return bodyOf(what, under.request(method, `/api/v1${path}`, { token: login.access_token, ...options }));
  };
  return { db, under, seen, login, ask, [Symbol.asyncDispose]: () => under[Symbol.asyncDispose]() };
};

describe(`${describedRoutes.name}()`, () => {
  test('describedRoutes() answers every instant as RFC 3339 in UTC, by HTTP', async () => {
    await using running = await rig();
    const { db, under, seen, login, ask } = running;
    const now = under.clock.now();
    const wanted = [...eventNames];
    await db.transact(async ({ records, webhooks }) => {
      await records.insert(recordRow(1));
      await webhooks.insert(webhookRow(1, { events: JSON.stringify(wanted) }));
    });
    expect(Date.parse(login.expires)).toBe(now + 900_000);

    const agent = await under.host();
    const [started] = await Promise.all([
      ask('POST', '/sessions', { body: { app: 'Loft' } }),
      agent.launch(),
    ]);
    await agent.heartbeat();
    const mine = { token: started.participant_token };
    const session = await ask('GET', `/sessions/${started.session.id}`, mine);
    expect([session.now, session.phases.accepted].map((at) => Date.parse(at))).toEqual([now, now]);
    expect(Date.parse(session.ends_at)).toBeGreaterThan(now);
    expect([session.idle_at, session.extendable_to]).toEqual([null, null]);
    const ticket = await ask('POST', `/sessions/${session.id}/tickets`, mine);
    expect(Date.parse(ticket.expires)).toBe(now + 30_000);
    const { sessions } = await ask('GET', '/sessions');
    expect(sessions).toMatchObject([{ started_at: session.phases.accepted, ends_at: session.ends_at }]);

    const tomorrow = new Date(now + 86_400_000).toISOString().slice(0, 10);
    const order = { app: 'Loft', date: tomorrow, time: '10:00', zone: 'UTC', minutes: 30 };
    const booked = await ask('POST', '/bookings', { body: order });
    expect([booked.starts_at, booked.ends_at]).toEqual([
      `${tomorrow}T10:00:00.000Z`,
      `${tomorrow}T10:30:00.000Z`,
    ]);
    const { bookings } = await ask('GET', `/bookings?from=${booked.starts_at.toLowerCase()}`);
    expect(bookings).toMatchObject([{ id: booked.id, created_at: new Date(now).toISOString() }]);
    for (const offset of ['%2B', '+']) {
      const [later, before] = [
        `${tomorrow}T15:30:00${offset}05:30`,
        `${tomorrow}T15:30:00.001${offset}05:30`,
      ];
      expect((await ask('GET', `/bookings?from=${later}`)).bookings).toHaveLength(1);
      expect((await ask('GET', `/bookings?from=${before}`)).bookings).toHaveLength(0);
    }
    const days = `from=${tomorrow}&to=${tomorrow}&minutes=30&zone=UTC`;
    const { free } = await ask('GET', `/apps/Loft/availability?${days}`);
    expect(free[0].from).toBe(`${tomorrow}T00:00:00.000Z`);

    const place = await ask('POST', '/queue', { body: { app: 'Loft' } });
    expect(Date.parse(place.expected_at)).toBeGreaterThan(now);
    await ask('GET', `/queue/${place.id}`, { token: place.token });

    const { records } = await ask('GET', '/records');
    expect(Date.parse(records[0].ended_at)).toBe(recordRow(1).ended_at);
    await ask('GET', '/records/session-1');

    const { accounts } = await ask('GET', '/accounts');
    expect(accounts.map(({ created_at }: { created_at: string }) => instant.test(created_at))).not.toContain(
      false,
    );
    const link = await ask('POST', '/accounts/account-3/reset-link');
    expect(Date.parse(link.expires)).toBe(now + 86_400_000);
    await ask('GET', '/me');
    await ask('POST', '/keys/rotation');

    const { webhooks } = await ask('GET', '/webhooks');
    const { deliveries } = await ask('GET', `/webhooks/${webhooks[0].id}`);
    expect(deliveries[0]).toMatchObject({ created_at: new Date(now).toISOString(), delivered_at: null });
    const bodies = await db.read(({ outbox }) => outbox.find({}));
    for (const { event, body } of bodies) {
      seen.push(
        ...valuesIn(JSON.parse(body)).map(([field, value]): (typeof seen)[number] => [event, field, value]),
      );
    }
    expect(bodies.map(({ event }) => event).sort()).toEqual([
      'booking.created',
      'session.ready',
      'session.started',
    ]);
    expect(seen).toContainEqual(['booking.created', 'data.starts_at', booked.starts_at]);
    expect(seen).toContainEqual(['session.ready', 'data.phases.accepted', session.phases.accepted]);

    await ask('POST', '/catalogue/hosts', { body: { name: 'c', apps: [] } });
    const { hosts } = await ask('GET', '/catalogue/hosts');
    expect(hosts[0]).toMatchObject({ name: 'a', last_seen_at: new Date(now).toISOString() });
    const { expires_at } = await ask('POST', '/catalogue/hosts/c/enrolments', { body: { minutes: 5 } });
    expect(Date.parse(expires_at)).toBe(now + 300_000);
    const { entries } = await ask('GET', '/audit');
    expect(entries).toContainEqual(
      expect.objectContaining({
        action: 'host.enrolment',
        at: new Date(now).toISOString(),
        detail: { expires_at },
      }),
    );

    expect(seen.filter(([, , value]) => isEpochMs(value))).toEqual([]);
    const moments = seen.filter(([, field]) => /(_at|\.from|\.to|expires|now|\.at)$|phases\./.test(field));
    expect(moments.filter(([, , value]) => value !== null && !instant.test(String(value)))).toEqual([]);
    expect(moments.length).toBeGreaterThan(80);
    agent.close();
  });
});
