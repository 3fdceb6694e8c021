import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { type ErrorCode, errors } from '../../shared/errors.ts';
import { problemSchema } from '../../shared/protocol/http.ts';
import { bounds } from '../kit/limits.ts';
import { appUnderTest } from '../testing/app.ts';
import { startRig } from '../testing/rig.ts';
import { openSocket, soon } from '../testing/socket.ts';
import { upgradeRoutes } from './upgrades.ts';

setDefaultTimeout(60_000);

type Under = Awaited<ReturnType<typeof appUnderTest>>;

/** What comes of a handshake: the code of its refusal, the reason of a socket that closes at once, or "upgraded". */
const dial = async (under: Under, path: string, headers: Record<string, string> = {}): Promise<string> => {
  const response = await under.request(path, { headers: { Upgrade: 'websocket', ...headers } });
  if (response.status !== 200) return problemSchema.parse(await response.json()).code;
  let answer = 'upgraded';
  under.upgrades.at(-1)?.connect({
    remote: '127.0.0.1',
    backlog: () => 0,
    send: () => true,
    close: (code, reason) => {
      answer = `${code} ${reason}`;
    },
  });
  return answer;
};

const closed = (code: ErrorCode) => `${errors[code].close} ${errors[code].text}`;

const withTicket = async () => {
  const under = await appUnderTest();
  under.connect();
  const post = async (path: string, sent: { token?: string; body?: unknown }) =>
    JSON.parse(await (await under.request(path, { method: 'POST', ...sent })).text());
  const { session, participant_token: token } = await post('/api/v1/sessions', { body: { app: 'Loft' } });
  under.ready(session.id);
  const ticket = async () => {
    const { pathname, search } = new URL(
      (await post(`/api/v1/sessions/${session.id}/tickets`, { token })).signalling_url,
    );
    return pathname + search;
  };
  return { under, session, token, ticket };
};

describe(`${upgradeRoutes.name}()`, () => {
  test('upgradeRoutes() opens a player connection once for each ticket', async () => {
    const { under, ticket } = await withTicket();
    const path = await ticket();
    expect(await dial(under, path)).toBe('upgraded');
    expect(await dial(under, path)).toBe(closed('ticket_used'));
    expect(await dial(under, await ticket())).toBe('upgraded');
    // As pages of 5.2 to 5.4 write it that make the offer.
    expect(await dial(under, `${await ticket()}?OfferToReceive=true`)).toBe('upgraded');
  });

  test('upgradeRoutes() refuses a ticket that has expired, is made up, or of another session', async () => {
    const { under, session, ticket } = await withTicket();
    const path = await ticket();
    expect(await dial(under, `/api/v1/sessions/${session.id}/signalling`)).toBe(closed('ticket_unknown'));
    expect(await dial(under, `/api/v1/sessions/${session.id}/signalling?ticket=x`)).toBe(
      closed('ticket_unknown'),
    );
    expect(await dial(under, path.replace(session.id, 'other'))).toBe(closed('session_unknown'));
    under.clock.advance(bounds.ticket_ms);
    expect(await dial(under, path)).toBe(closed('ticket_expired'));
  });

  test('upgradeRoutes() does not spend a ticket on a request that is no WebSocket or of a foreign page', async () => {
    const { under, ticket } = await withTicket();
    const path = await ticket();
    expect(problemSchema.parse(await (await under.request(path)).json()).code).toBe('malformed');
    expect(await dial(under, path, { Origin: 'https://evil.example' })).toBe('origin_refused');
    expect(await dial(under, path)).toBe('upgraded');
  });

  test('upgradeRoutes() takes no page for an agent, and no agent without a key', async () => {
    const under = await appUnderTest();
    const Authorization = 'Bearer the-secret-key-of-a';
    expect(await dial(under, '/agent', { Authorization, Origin: 'http://localhost' })).toBe('origin_refused');
    expect(await dial(under, '/agent')).toBe('unauthorized');
    expect(await dial(under, '/agent', { Authorization: 'Basic YTpi' })).toBe('unauthorized');
    expect(await dial(under, '/agent', { Authorization })).toBe('upgraded');
  });

  test('upgradeRoutes() bears a Host header that makes no address', async () => {
    await using rig = await startRig();
    for (const host of ['a"b', '[::1', 'a b', '', 'x:99999', 'a@b', '%']) {
      const answered = Promise.withResolvers<string>();
      const socket = await Bun.connect({
        hostname: '127.0.0.1',
        port: Number(new URL(rig.base).port),
        socket: { data: (_, bytes) => answered.resolve(String(bytes).split('\r\n')[0] ?? '') },
      });
      socket.write(`GET /ws HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`);
      expect(await soon('an answer', answered.promise)).toBe('HTTP/1.1 400 Bad Request');
      socket.end();
    }
    expect(rig.recorded.messages('error')).toEqual([]);
  });

  test('upgradeRoutes() bounds the connections of one address', async () => {
    await using rig = await startRig({ connections_per_address: 2 });
    const [one] = [await rig.client(), await rig.client()];
    const third = rig.client().then(
      () => 'opened',
      () => 'refused',
    );
    expect(await third).toBe('refused');
    one.close();
    await one.closed();
    const again = await openSocket(`${rig.socketBase}/ws`);
    again.close();
    expect((await again.closed()).code).toBe(1000);
  });
});
