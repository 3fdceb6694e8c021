import { describe, expect, test } from 'bun:test';
import { AGENT_LINK_VERSION, fromAgent, toAgent } from './agent-link.ts';

const session = { session_id: 'id-1', generation: 1 };

/**
 * User requirements A12, word for word, and what the link adds: which session and generation is meant, the code that the
 * coordinator chose, the channel that carries the player.
 */
const a12 = [
  {
    schema: toAgent.CREATE_SESSION,
    user: '{"verb":"CREATE_SESSION","rc_name":"SomeRC","user_id":"id123"}',
    added: { ...session, code: '1234', ice_servers: [] },
  },
  {
    schema: fromAgent.CONNECT_TO_SESSION,
    user: '{"verb":"CONNECT_TO_SESSION","ip":"127.0.0.1","port":"1111","code":"1234"}',
    added: session,
  },
  {
    schema: toAgent.CONNECT_USER_TO_SESSION,
    user: '{"verb":"CONNECT_USER_TO_SESSION","code":"1234","user_id":"id123"}',
    added: { ...session, channel: 1, ice_servers: [] },
  },
  {
    schema: fromAgent.SESSION_CONNECTION_ESTABLISHED,
    user: '{"msg":"SESSION_CONNECTION_ESTABLISHED","WebRTC_connection_data":"https://ip:port"}',
    added: { ...session, channel: 1 },
  },
];

describe('toAgent() and fromAgent()', () => {
  for (const { schema, user, added } of a12) {
    const expected = JSON.parse(user);
    const message = { ...expected, ...added };
    const name = expected.verb ?? expected.msg;

    test(`toAgent() or fromAgent() has ${name} with every field of the user's`, () => {
      expect(schema.parse(message)).toEqual(message);
      for (const field of Object.keys(message)) {
        expect(schema.safeParse({ ...message, [field]: undefined }).success).toBeFalse();
      }
    });

    test(`toAgent() or fromAgent() refuses ${name} with an unknown field`, () => {
      expect(schema.safeParse({ ...message, more: 1 }).success).toBeFalse();
    });

    for (const generation of [0, -1, 1.5, '1', null, Number.NaN]) {
      test(`toAgent() or fromAgent() refuses ${name} of generation ${generation}`, () => {
        expect(schema.safeParse({ ...message, generation }).success).toBeFalse();
      });
    }
  }

  for (const channel of [0, -1, 1.5, 0x1_0000_0000, '1', null]) {
    test(`toAgent() refuses channel ${channel}`, () => {
      const message = { ...JSON.parse(a12[2]?.user ?? ''), ...session, ice_servers: [], channel };
      expect(toAgent.CONNECT_USER_TO_SESSION.safeParse(message).success).toBeFalse();
    });
  }

  const hello = {
    verb: 'HELLO',
    protocol: AGENT_LINK_VERSION,
    server_name: 'SomeName1',
    seats: 4,
    apps: ['SomeRC'],
    sessions: [{ ...session, state: 'ready' }],
  };

  test('fromAgent() takes HELLO with the inventory of the host', () => {
    expect(fromAgent.HELLO.parse(hello)).toMatchObject(hello);
  });

  const bad: Record<string, unknown>[] = [
    { seats: 0 },
    { seats: 1_001 },
    { seats: '4' },
    { server_name: '' },
    { apps: 'SomeRC' },
    { apps: Array.from({ length: 1_001 }, () => 'SomeRC') },
    { sessions: [{ ...session, state: 'gone' }] },
    { sessions: [{ session_id: '../x', generation: 1, state: 'ready' }] },
    { protocol: '1' },
  ];
  for (const fields of bad) {
    test(`fromAgent() refuses HELLO with ${JSON.stringify(fields).slice(0, 60)}`, () => {
      expect(fromAgent.HELLO.safeParse({ ...hello, ...fields }).success).toBeFalse();
    });
  }
});
