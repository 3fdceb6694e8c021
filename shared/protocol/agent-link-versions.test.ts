import { describe, expect, test } from 'bun:test';
import { fromFirstAgent, toFirstAgent } from '../testing/agent-link-first.ts';
import { AGENT_LINK_VERSION, fromAgent, toAgent } from './agent-link.ts';
import { forAgent, forCoordinator } from './agent-link-versions.ts';
import type { MessageOf } from './message.ts';
import { endReasonSchema } from './session.ts';

const ref = { session_id: 'id-1', generation: 1 };
const figures = { cpu_percent: 3, memory_used_mb: 1, memory_total_mb: 2, cards: [] };
const warm = [{ rc_name: 'Loft', card: 1, ready: 2 }];

/** Each message that version 2 has, with everything that it may hold. */
const orders: MessageOf<typeof toAgent>[] = [
  {
    msg: 'WELCOME',
    heartbeat_ms: 5_000,
    protocol: 2,
    sessions: [{ ...ref, action: 'keep' }],
    draining: { by: null, cards: [1] },
    answers: true,
  },
  { msg: 'DRAINING', draining: { by: 'host', cards: [] } },
  { msg: 'HEARTBEAT', time: 1 },
  {
    verb: 'CREATE_SESSION',
    ...ref,
    rc_name: 'Loft',
    user_id: 'u',
    code: '1234',
    ice_servers: [],
    card: 1,
    language: 'ru',
  },
  {
    verb: 'CONNECT_USER_TO_SESSION',
    ...ref,
    code: '1234',
    user_id: 'u',
    channel: 1,
    ice_servers: [],
    view_only: true,
    resumable: 'a'.repeat(22),
  },
  { verb: 'DISCONNECT_USER', ...ref, user_id: 'u' },
  { verb: 'WARM', apps: [{ rc_name: 'Loft', card: 0, instances: 1 }] },
  { verb: 'END_SESSION', ...ref, reason: 'idle' },
];

const reports: MessageOf<typeof fromAgent>[] = [
  {
    verb: 'HELLO',
    protocol: AGENT_LINK_VERSION,
    server_name: 'a',
    seats: 2,
    apps: ['Loft'],
    sessions: [{ ...ref, state: 'ready', card: 1 }],
    version: '0.2.0',
    life: 'l',
    cards: [{ index: 1, seats: 2, vram_mb: null, encoders: 3 }],
    placing: 'pack',
    drains: true,
    needs: [{ rc_name: 'Loft', vram_mb: 1, encoders: 1 }],
    warm,
    answers: true,
  },
  { verb: 'HEARTBEAT', time: 1, figures, warm },
  { msg: 'SESSION_STARTING', ...ref, phase: 'launching' },
  { verb: 'CONNECT_TO_SESSION', ...ref, ip: '127.0.0.1', port: '1', code: '1234' },
  { msg: 'SESSION_RESTARTING', ...ref },
  { msg: 'SESSION_ENDED', ...ref, reason: 'idle', detail: 'd' },
  { msg: 'SESSION_CONNECTION_ESTABLISHED', ...ref, channel: 1, WebRTC_connection_data: 'http://127.0.0.1:1' },
  { msg: 'PLAYER_ANSWERED', ...ref, channel: 1 },
];

const nameOf = (message: object): string =>
  'verb' in message ? String(message.verb) : 'msg' in message ? String(message.msg) : '';

const schemaOf = (family: Readonly<Record<string, { parse(value: unknown): unknown }>>, message: object) =>
  family[nameOf(message)];

describe('forAgent()', () => {
  test('forAgent() is tried with every message that there is', () => {
    expect(new Set(orders.map(nameOf))).toEqual(new Set(Object.keys(toAgent)));
    for (const message of orders) expect(schemaOf(toAgent, message)?.parse(message)).toEqual(message);
  });

  for (const message of orders) {
    test(`forAgent() gives ${nameOf(message)} to our own version as it is, and to the first as that takes it`, () => {
      expect(forAgent(2, message)).toBe(message);
      const older = forAgent(1, message);
      const schema = schemaOf(toFirstAgent, message);
      if (schema === undefined) expect(older).toBeUndefined();
      else expect(schema.parse(older)).toEqual(older);
    });
  }
});

describe('forCoordinator()', () => {
  test('forCoordinator() is tried with every message that there is', () => {
    expect(new Set(reports.map(nameOf))).toEqual(new Set(Object.keys(fromAgent)));
    for (const message of reports) expect(schemaOf(fromAgent, message)?.parse(message)).toEqual(message);
  });

  for (const message of reports) {
    test(`forCoordinator() gives ${nameOf(message)} to our own version as it is, and to the first as that takes it`, () => {
      expect(forCoordinator(2, message)).toBe(message);
      const older = forCoordinator(1, message);
      expect(schemaOf(fromFirstAgent, message)?.parse(older)).toEqual(older);
    });
  }

  test.each([...endReasonSchema.options])(
    'forCoordinator() has an older word for the end reason %s',
    (reason) => {
      const older = forCoordinator(1, { msg: 'SESSION_ENDED', ...ref, reason });
      expect(fromFirstAgent.SESSION_ENDED.safeParse(older).success).toBe(true);
    },
  );

  test('forCoordinator() says the older version in its HELLO', () => {
    const hello = reports[0];
    expect(hello && forCoordinator(1, hello)).toMatchObject({ verb: 'HELLO', protocol: 1 });
  });
});
