import { z } from 'zod';
import { iceServerSchema } from './ice.ts';
import { strict } from './message.ts';
import { codeSchema, idSchema, nameSchema } from './names.ts';
import { endReasonSchema } from './session.ts';

/**
 * Control messages between coordinator and session agent, as text frames on the agent's one outgoing connection
 * (`/agent`, `Authorization: Bearer <key>`). Relay traffic shares the connection as binary frames: see `relay-frame.ts`.
 * The verbs of user requirements A12 keep their names.
 */
export const AGENT_LINK_VERSION = 1;

/** A session as both sides name it. A command with a generation lower than the one known is stale and refused. */
const sessionRef = { session_id: idSchema, generation: z.number().int().min(1) };

/** Numbers one relayed player connection; the coordinator counts up per link and never reuses one. */
const channelSchema = z.number().int().min(1).max(0xffff_ffff);

/** What the coordinator may send. */
export const toAgent = {
  /** Answers HELLO: what to do with each session of the agent's inventory, and how often to say HEARTBEAT. */
  WELCOME: strict('msg', 'WELCOME', {
    heartbeat_ms: z.number().int().min(100),
    sessions: z.array(z.strictObject({ ...sessionRef, action: z.enum(['keep', 'stop']) })),
  }),
  HEARTBEAT: strict('msg', 'HEARTBEAT', { time: z.number() }),
  /** Launch the app and its signalling server (A12). Repeating it with the same generation changes nothing. */
  CREATE_SESSION: strict('verb', 'CREATE_SESSION', {
    ...sessionRef,
    rc_name: nameSchema,
    user_id: idSchema,
    code: codeSchema,
    /** For the app: behind NAT it needs STUN to be reached, or TURN of its own. */
    ice_servers: z.array(iceServerSchema).max(20),
  }),
  /** Open a player connection to the session's signalling server and bind it to `channel` (A12). */
  CONNECT_USER_TO_SESSION: strict('verb', 'CONNECT_USER_TO_SESSION', {
    ...sessionRef,
    code: codeSchema,
    user_id: idSchema,
    channel: channelSchema,
    ice_servers: z.array(iceServerSchema).max(20),
    /** A participant without control: watches, and has no way to steer. */
    view_only: z.boolean().optional(),
  }),
  END_SESSION: strict('verb', 'END_SESSION', { ...sessionRef, reason: endReasonSchema }),
} as const;

/** What an agent may send. */
export const fromAgent = {
  /** The first message on the link. `sessions` is the inventory: everything that runs on the host. */
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
  /** The order was taken (`launching`), or the app's process is up (`app_started`). */
  SESSION_STARTING: strict('msg', 'SESSION_STARTING', {
    ...sessionRef,
    phase: z.enum(['launching', 'app_started']),
  }),
  /** The streamer has registered: players may come (A12). `ip` and `port` are the host's own loopback address. */
  CONNECT_TO_SESSION: strict('verb', 'CONNECT_TO_SESSION', {
    ...sessionRef,
    ip: z.string(),
    port: z.string(),
    code: codeSchema,
  }),
  /** The app died and is started again under its restart policy; CONNECT_TO_SESSION follows, or SESSION_ENDED. */
  SESSION_RESTARTING: strict('msg', 'SESSION_RESTARTING', sessionRef),
  /** Every process of the session is gone and the seat is free. `detail` is for the operator's log. */
  SESSION_ENDED: strict('msg', 'SESSION_ENDED', {
    ...sessionRef,
    reason: endReasonSchema,
    detail: z.string().max(1_000).optional(),
  }),
  /** The local player connection behind `channel` is open (A12). */
  SESSION_CONNECTION_ESTABLISHED: strict('msg', 'SESSION_CONNECTION_ESTABLISHED', {
    ...sessionRef,
    channel: channelSchema,
    WebRTC_connection_data: z.string(),
  }),
} as const;
