import { describe, expect, test } from 'bun:test';
import { errors } from '../errors.ts';
import {
  admissionSchema,
  appsSchema,
  createSessionSchema,
  joinSchema,
  participationSchema,
  problemSchema,
  sessionSchema,
  ticketSchema,
} from './http.ts';

const session = {
  id: 'id-1',
  app: 'SomeRC',
  phase: 'ready',
  code: '1234',
  version: 3,
  participants: 1,
  now: 5,
  invite: 'invite-1',
  ends_at: 9,
  cut_short: false,
  extendable_to: null,
  idle_at: null,
  waiting: ['id-3'],
  names: { 'id-3': 'Anna' },
  phases: { accepted: 1, ready: 2 },
  end: null,
};
const bodies = {
  appsSchema: [
    appsSchema,
    {
      apps: [
        {
          name: 'SomeRC',
          title: { en: 'x' },
          description: {},
          picture: null,
          seats: 2,
          seats_free: 1,
          default_minutes: 60,
          max_minutes: 240,
          who_may_start: 'anyone',
          lobby: false,
        },
      ],
    },
  ],
  createSessionSchema: [createSessionSchema, { app: 'SomeRC' }],
  joinSchema: [joinSchema, { code: '1234' }],
  admissionSchema: [admissionSchema, { participant_id: 'id-3', admitted: true }],
  sessionSchema: [sessionSchema, session],
  participationSchema: [
    participationSchema,
    { session, participant_id: 'id-2', owner: true, participant_token: 't' },
  ],
  ticketSchema: [ticketSchema, { signalling_url: 'ws://x', expires: 1, resumable: true }],
  problemSchema: [
    problemSchema,
    {
      type: 'about:blank',
      title: errors.servers_busy.text,
      status: 503,
      code: 'servers_busy',
      retryable: true,
    },
  ],
} as const;

for (const [name, [schema, body]] of Object.entries(bodies)) {
  describe(`${name}()`, () => {
    test(`${name}() takes its body and gives it back`, () => {
      expect(schema.parse(body)).toEqual(body as never);
    });

    test(`${name}() refuses an unknown field, and each field's absence`, () => {
      expect(schema.safeParse({ ...body, more: 1 }).success).toBeFalse();
      for (const field of Object.keys(body)) {
        expect(schema.safeParse({ ...body, [field]: undefined }).success).toBeFalse();
      }
    });
  });
}

test('sessionSchema() takes an ended session with its reason', () => {
  const end = { reason: 'last_left', code: 1, text: 'Everybody has left.' };
  expect(sessionSchema.safeParse({ ...session, phase: 'ended', end }).success).toBeTrue();
  expect(sessionSchema.safeParse({ ...session, end: { ...end, reason: 'boredom' } }).success).toBeFalse();
});

test('problemSchema() takes only codes of the closed list', () => {
  const [schema, body] = bodies.problemSchema;
  expect(schema.safeParse({ ...body, code: 'teapot' }).success).toBeFalse();
});
