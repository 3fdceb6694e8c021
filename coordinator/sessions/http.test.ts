import { describe, expect, test } from 'bun:test';
import { participationSchema, problemSchema, runningSessionsSchema } from '../../shared/protocol/http.ts';
import { appUnderTest } from '../testing/app.ts';
import { addAccounts, loginAs } from '../testing/logins.ts';
import { sessionRoutes } from './http.ts';

const opened = async () => {
  const under = await appUnderTest();
  under.connect();
  await addAccounts(under);
  const create = (headers: Record<string, string> = {}, body: object = { app: 'Loft' }) =>
    under.request('/api/v1/sessions', { method: 'POST', body, headers });
  return { under, create };
};

describe(`${sessionRoutes.name}()`, () => {
  test('sessionRoutes() lists live sessions to operators and lets them end one, which the audit log keeps', async () => {
    const { under, create } = await opened();
    const { session } = participationSchema.parse(await (await create()).json());
    const { access_token: user } = await loginAs(under, 'account-3');
    const { access_token: operator } = await loginAs(under, 'account-2');
    expect((await under.request('/api/v1/sessions')).status).toBe(401);
    expect((await under.request('/api/v1/sessions', { token: user })).status).toBe(403);
    const listed = await (await under.request('/api/v1/sessions', { token: operator })).json();
    expect(runningSessionsSchema.parse(listed).sessions).toMatchObject([
      { id: session.id, host: 'a', seat: 0 },
    ]);
    const path = `/api/v1/sessions/${session.id}`;
    expect((await under.request(path, { method: 'DELETE', token: user })).status).toBe(401);
    expect((await under.request(path, { method: 'DELETE', token: operator })).status).toBe(204);
    expect(under.world.sessions.get(session.id)?.end?.reason).toBe('admin_ended');
    const audit = await under.world.db.read((tables) => tables.audit.find({}));
    expect(audit).toMatchObject([{ actor: 'account-2', action: 'session.end', subject: session.id }]);
  });

  test('sessionRoutes() starts one session for one Idempotency-Key, and refuses the key for another request', async () => {
    const { under, create } = await opened();
    const key = { 'Idempotency-Key': crypto.randomUUID() };
    const answers = await Promise.all([create(key), create(key), create(key)]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    const bodies = await Promise.all(answers.map(async (one) => participationSchema.parse(await one.json())));
    expect(new Set(bodies.map(({ participant_token }) => participant_token)).size).toBe(1);
    expect(under.world.sessions.size).toBe(1);
    const other = await create(key, { app: 'Loft', minutes: 10 });
    expect(problemSchema.parse(await other.json()).code).toBe('idempotency_mismatch');
    expect(under.orders.filter((order) => 'verb' in order && order.verb === 'CREATE_SESSION')).toHaveLength(
      1,
    );
  });

  test('sessionRoutes() names what is wrong with how somebody wants to join', async () => {
    const { under } = await opened();
    const told = async (body: object) => {
      const response = await under.request('/api/v1/join', { method: 'POST', body });
      return problemSchema.parse(await response.json()).detail;
    };
    expect(await told({ code: '4435', name: 'a\u202eb' })).toMatch(/^name: must not hold control characters/);
    expect(await told({ code: '4435', name: '' })).toMatch(/^name: /);
    expect(await told({ code: 4435 })).toMatch(/^code: /);
    expect(await told({ invite: 5 })).toMatch(/^invite: /);
    expect(await told({})).toMatch(/^code: /);
  });

  test('sessionRoutes() writes what a browser said into the log, so much of it', async () => {
    const { under, create } = await opened();
    const { session, participant_token: token } = participationSchema.parse(await (await create()).json());
    const tell = (body: object, by?: string) =>
      under.request(`/api/v1/sessions/${session.id}/trouble`, {
        method: 'POST',
        body,
        ...(by === undefined ? {} : { token: by }),
      });
    expect((await tell({ text: 'x' })).status).toBe(401);
    expect((await tell({ text: '' }, token)).status).toBe(400);
    expect((await tell({ text: 'x'.repeat(501) }, token)).status).toBe(400);
    const told = Array.from({ length: 40 }, (_, at) => tell({ text: `SyntaxError: ${at}` }, token));
    expect((await Promise.all(told)).map(({ status }) => status)).toEqual(told.map(() => 204));
    const said = under.recorded.lines().filter(({ msg }) => msg === 'a browser shows no picture');
    expect(said).toHaveLength(30);
    expect(said[0]).toMatchObject({
      level: 'warn',
      session: session.id,
      host: 'a',
      app: 'Loft',
      said: 'SyntaxError: 0',
    });
  });

  test('sessionRoutes() answers the owner once it is stored: an end, and a guest let in', async () => {
    const under = await appUnderTest({}, { lobby: true });
    under.connect();
    const send = (method: string, path: string, token?: string, body?: object) =>
      under.request(`/api/v1${path}`, { method, ...(token === undefined ? {} : { token }), body });
    const owner = await send('POST', '/sessions', undefined, { app: 'Loft' });
    const { session, participant_token: token } = participationSchema.parse(await owner.json());
    const guest = await send('POST', '/join', undefined, { code: session.code });
    const { participant_id } = participationSchema.parse(await guest.json());
    const path = `/sessions/${session.id}`;
    const asks = [
      () => send('POST', `${path}/admission`, token, { participant_id, admitted: true }),
      () => send('DELETE', path, token),
    ];
    for (const ask of asks) {
      const order: string[] = [];
      const gate = Promise.withResolvers<void>();
      const busy = under.world.db.transact(() => gate.promise);
      const answer = ask().then(({ status }) => order.push(`answered ${status}`));
      // Asked later, and needs no database: without waiting for that, the first would be answered first.
      for (let times = 0; times < 3; times++) expect((await send('GET', path, token)).status).toBe(200);
      order.push('the database goes on');
      gate.resolve();
      await Promise.all([busy, answer]);
      expect(order).toEqual(['the database goes on', 'answered 204']);
    }
  });

  test('sessionRoutes() shows who was sent away from the lobby nothing more', async () => {
    const under = await appUnderTest({}, { lobby: true });
    under.connect();
    const post = async (path: string, body: object, token?: string) => {
      const sent = token === undefined ? { method: 'POST', body } : { method: 'POST', body, token };
      return under.request(`/api/v1${path}`, sent);
    };
    const owner = participationSchema.parse(await (await post('/sessions', { app: 'Loft' })).json());
    const { id, code } = owner.session;
    const guest = participationSchema.parse(await (await post('/join', { code })).json());
    const seen = () => under.request(`/api/v1/sessions/${id}`, { token: guest.participant_token });
    expect((await seen()).status).toBe(200);
    const decision = { participant_id: guest.participant_id, admitted: false };
    expect((await post(`/sessions/${id}/admission`, decision, owner.participant_token)).status).toBe(204);
    expect((await seen()).status).toBe(403);
  });
});
