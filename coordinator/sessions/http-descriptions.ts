import { createRoute, z } from '@hono/zod-openapi';
import {
  admissionSchema,
  createSessionSchema,
  joinSchema,
  participationSchema,
  runningSessionsSchema,
  sessionSchema,
  ticketSchema,
  troubleSchema,
} from '../../shared/protocol/http.ts';
import { answers, byBearer, done, idempotencyKey, pathOf, refuses, takes } from '../kit/http-openapi.ts';

const tags = ['sessions'];
const ofSession = { tags, security: byBearer, request: { params: pathOf('id') } };
const member = ['session_unknown', 'unauthorized'] as const;

/** The routes of sessions as the reference shows them, under `/api/v1`. */
export const sessionDescriptions = {
  create: createRoute({
    method: 'post',
    path: '/sessions',
    tags,
    summary: 'Start a session of an app',
    request: { body: takes(createSessionSchema), headers: idempotencyKey },
    responses: {
      201: answers(participationSchema, 'The session is being started, and the caller owns it.'),
      ...refuses(
        'malformed',
        'app_unknown',
        'app_disabled',
        'app_offline',
        'account_required',
        'quota_exceeded',
        'servers_busy',
        'visitor_share',
        'visitors_full',
        'codes_used_up',
        'idempotency_mismatch',
        'queue_unknown',
      ),
    },
  }),
  list: createRoute({
    method: 'get',
    path: '/sessions',
    tags,
    security: byBearer,
    summary: 'List the live sessions',
    description: 'Only for operators.',
    responses: {
      200: answers(runningSessionsSchema, 'The sessions, the one that began last first.'),
      ...refuses('account_required', 'forbidden'),
    },
  }),
  join: createRoute({
    method: 'post',
    path: '/join',
    tags,
    summary: 'Join a live session with its code or invite',
    request: { body: takes(joinSchema) },
    responses: {
      200: answers(participationSchema, 'The caller is a participant.'),
      ...refuses(
        'malformed',
        'code_unknown',
        'codes_closed',
        'invite_unknown',
        'name_taken',
        'session_full',
        'too_many_messages',
      ),
    },
  }),
  show: createRoute({
    ...ofSession,
    method: 'get',
    path: '/sessions/{id}',
    summary: 'Show a session, or wait until it changes',
    request: {
      ...ofSession.request,
      query: z.object({
        after: z
          .string()
          .regex(/^\d{1,15}$/, 'a version, like 3')
          .optional()
          .meta({ description: 'Answer only once there is a later version than this; after 25 s at most.' }),
      }),
    },
    responses: {
      200: answers(sessionSchema, 'The session.'),
      ...refuses('malformed', 'forbidden', ...member),
    },
  }),
  end: createRoute({
    ...ofSession,
    method: 'delete',
    path: '/sessions/{id}',
    summary: 'End a session for everybody',
    description:
      "For its owner, with the participant's token, and for operators, with theirs. An ended session stays ended.",
    responses: { 204: done('The session has ended.'), ...refuses('malformed', 'forbidden', ...member) },
  }),
  ticket: createRoute({
    ...ofSession,
    method: 'post',
    path: '/sessions/{id}/tickets',
    summary: 'Get a ticket for one signalling connection',
    responses: {
      200: answers(
        ticketSchema,
        'The address to open within 30 s; it opens again until a minute after its connection has ended.',
      ),
      ...refuses('malformed', 'session_not_ready', 'session_ended', 'lobby_waiting', ...member),
    },
  }),
  activity: createRoute({
    ...ofSession,
    method: 'post',
    path: '/sessions/{id}/activity',
    summary: 'Tell of input, so that the session does not count as idle',
    description:
      'A page that tells once is expected to go on telling, every 15 s while there is input. Who never tells is never idle.',
    responses: { 204: done('Noted.'), ...refuses('malformed', ...member) },
  }),
  trouble: createRoute({
    ...ofSession,
    method: 'post',
    path: '/sessions/{id}/trouble',
    summary: 'Tell why the picture cannot be shown',
    description: "What the browser said while it connected. It goes into the coordinator's log.",
    request: { ...ofSession.request, body: takes(troubleSchema) },
    responses: { 204: done('Noted.'), ...refuses('malformed', ...member) },
  }),
  admission: createRoute({
    ...ofSession,
    method: 'post',
    path: '/sessions/{id}/admission',
    summary: 'Let someone in from the lobby, or send them away',
    description: 'Only for the owner.',
    request: { ...ofSession.request, body: takes(admissionSchema) },
    responses: {
      204: done('Done.'),
      ...refuses('malformed', 'forbidden', 'participant_unknown', 'session_ended', ...member),
    },
  }),
  extension: createRoute({
    ...ofSession,
    method: 'post',
    path: '/sessions/{id}/extension',
    summary: 'Let a session go on beyond its end',
    description:
      'Only for the owner, within ten minutes of the end, and as long as the seat is free; by half an hour at most.',
    responses: {
      200: answers(sessionSchema, 'The session with its new end.'),
      ...refuses(
        'malformed',
        'forbidden',
        'extension_early',
        'extension_longest',
        'extension_refused',
        'quota_exceeded',
        'session_ended',
        ...member,
      ),
    },
  }),
  leave: createRoute({
    ...ofSession,
    method: 'post',
    path: '/sessions/{id}/leave',
    summary: 'Leave a session',
    responses: { 204: done('The caller is no participant any more.'), ...refuses('malformed', ...member) },
  }),
};
