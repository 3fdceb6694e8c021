import { z } from 'zod';
import { iceServerSchema } from '../protocol/ice.ts';
import { strict } from '../protocol/message.ts';
import { codeSchema, idSchema, nameSchema } from '../protocol/names.ts';

/** The agent link as version 1 had it, frozen: what a peer of that version takes, and nothing else. */
const sessionRef = { session_id: idSchema, generation: z.number().int().min(1) };
/** Those that it had words for. */
const endReasonSchema = z.enum([
  'last_left',
  'nobody_came',
  'owner_ended',
  'time_up',
  'idle',
  'admin_ended',
  'start_timeout',
  'app_not_found',
  'app_exited',
  'app_crashed',
  'signalling_failed',
  'no_port',
  'host_lost',
  'host_stopped',
  'host_forgot',
  'host_refused',
  'coordinator_forgot',
]);
const channelSchema = z.number().int().min(1).max(0xffff_ffff);
export const toFirstAgent = {
  WELCOME: strict('msg', 'WELCOME', {
    heartbeat_ms: z.number().int().min(100),
    sessions: z.array(z.strictObject({ ...sessionRef, action: z.enum(['keep', 'stop']) })),
  }),
  HEARTBEAT: strict('msg', 'HEARTBEAT', { time: z.number() }),
  CREATE_SESSION: strict('verb', 'CREATE_SESSION', {
    ...sessionRef,
    rc_name: nameSchema,
    user_id: idSchema,
    code: codeSchema,
    ice_servers: z.array(iceServerSchema).max(20),
  }),
  CONNECT_USER_TO_SESSION: strict('verb', 'CONNECT_USER_TO_SESSION', {
    ...sessionRef,
    code: codeSchema,
    user_id: idSchema,
    channel: channelSchema,
    ice_servers: z.array(iceServerSchema).max(20),
    view_only: z.boolean().optional(),
  }),
  END_SESSION: strict('verb', 'END_SESSION', { ...sessionRef, reason: endReasonSchema }),
} as const;
export const fromFirstAgent = {
  HELLO: strict('verb', 'HELLO', {
    protocol: z.number().int(),
    server_name: nameSchema,
    seats: z.number().int().min(1).max(1_000),
    apps: z.array(nameSchema).max(1_000),
    sessions: z
      .array(z.strictObject({ ...sessionRef, state: z.enum(['starting', 'ready', 'restarting']) }))
      .max(1_000),
  }),
  HEARTBEAT: strict('verb', 'HEARTBEAT', { time: z.number() }),
  SESSION_STARTING: strict('msg', 'SESSION_STARTING', {
    ...sessionRef,
    phase: z.enum(['launching', 'app_started']),
  }),
  CONNECT_TO_SESSION: strict('verb', 'CONNECT_TO_SESSION', {
    ...sessionRef,
    ip: z.string(),
    port: z.string(),
    code: codeSchema,
  }),
  SESSION_RESTARTING: strict('msg', 'SESSION_RESTARTING', sessionRef),
  SESSION_ENDED: strict('msg', 'SESSION_ENDED', {
    ...sessionRef,
    reason: endReasonSchema,
    detail: z.string().max(1_000).optional(),
  }),
  SESSION_CONNECTION_ESTABLISHED: strict('msg', 'SESSION_CONNECTION_ESTABLISHED', {
    ...sessionRef,
    channel: channelSchema,
    WebRTC_connection_data: z.string(),
  }),
} as const;
