import { describe, expect, test } from 'bun:test';
import { fromClient, serverEntrySchema, toClient } from './client-verbs.ts';

/** User requirements A9 to A11, word for word; "X-Y" stands for two numbers there. */
const fromTheUser = {
  GET_SERVERS: '{"verb":"GET_SERVERS","range":"0-9"}',
  CREATE_SESSION: '{"verb":"CREATE_SESSION","rc_name":"SomeRC"}',
  CONNECT_SESSION_WITH_CODE: '{"verb":"CONNECT_SESSION_WITH_CODE","code":"1234"}',
} as const;
const entry =
  '{"server_name":"SomeName1","ip":"0.0.0.0","port":"111","rc_info":{"rc_name":"SomeRC","info":{"description":' +
  '[{"en":"best RC and ..."},{"ru":"..."}]}}}';
const toTheUser = {
  SERVERS_FOUND: `{"msg":"SERVERS_FOUND","servers":[${entry}]}`,
  SERVERS_NOT_FOUND: '{"msg":"SERVERS_NOT_FOUND"}',
  CONNECT_TO_SESSION: '{"verb":"CONNECT_TO_SESSION","ip":"0.0.0.1","port":"1111","code":"1234"}',
  SERVERS_BUSY: '{"msg":"SERVERS_BUSY"}',
  SESSION_NOT_EXIST: '{"msg":"SESSION_NOT_EXIST"}',
} as const;

/** What our answers add to the user's. */
const additions = {
  session_id: 'id-1',
  signalling_url: 'wss://vitrina.example/api/v1/sessions/id-1/signalling?ticket=t',
  participant_token: 't',
};

describe('fromClient()', () => {
  for (const [name, text] of Object.entries(fromTheUser)) {
    const schema = fromClient[name as keyof typeof fromTheUser];
    const message = JSON.parse(text);

    test(`fromClient() takes ${name} as the user wrote it`, () => {
      expect(schema.parse(message)).toEqual(message);
    });

    test(`fromClient() takes ${name} with an id to repeat, and refuses a longer one or another field`, () => {
      expect(schema.safeParse({ ...message, id: 'a1' }).success).toBeTrue();
      expect(schema.safeParse({ ...message, id: 'x'.repeat(65) }).success).toBeFalse();
      expect(schema.safeParse({ ...message, more: 1 }).success).toBeFalse();
    });

    for (const field of Object.keys(message)) {
      test(`fromClient() refuses ${name} without ${field}, or with ${field} as a number`, () => {
        expect(schema.safeParse({ ...message, [field]: undefined }).success).toBeFalse();
        expect(schema.safeParse({ ...message, [field]: 5 }).success).toBeFalse();
      });
    }
  }

  for (const range of ['X-Y', '', '1', '-1', '1-', '1-2-3', ' 0-1', '0-1000000', '1.5-2', '-1-2']) {
    test(`fromClient() refuses GET_SERVERS with the range "${range}"`, () => {
      expect(fromClient.GET_SERVERS.safeParse({ verb: 'GET_SERVERS', range }).success).toBeFalse();
    });
  }
});

describe('toClient()', () => {
  for (const [name, text] of Object.entries(toTheUser)) {
    test(`toClient() can say ${name} with every field that the user expects`, () => {
      const schema = toClient[name as keyof typeof toTheUser];
      const expected = JSON.parse(text);
      const full = name === 'CONNECT_TO_SESSION' ? { ...expected, ...additions } : expected;
      expect(schema.parse(full)).toMatchObject(expected);
      for (const field of Object.keys(expected)) {
        expect(schema.safeParse({ ...full, [field]: undefined }).success).toBeFalse();
      }
    });
  }

  test('toClient() gives the unique id of A9 in the first message', () => {
    expect(toClient.CONNECTED.safeParse({ msg: 'CONNECTED', user_id: 'id123' }).success).toBeTrue();
  });
});

test('serverEntrySchema() takes the entry of A10 and never shows a key', () => {
  const parsed = JSON.parse(entry);
  expect(serverEntrySchema.parse(parsed)).toEqual(parsed);
  expect(serverEntrySchema.safeParse({ ...parsed, key: 'secret' }).success).toBeFalse();
});
