import { z } from 'zod';
import { iceServerSchema } from './ice.ts';
import { strict, tolerant } from './message.ts';
import { channelNameSchema, codeSchema, idSchema, languageSchema, namedSchema } from './names.ts';
import { endReasonSchema } from './session.ts';

/**
 * Control messages between coordinator and session agent, as text frames on the agent's one outgoing connection
 * (`/agent`, `Authorization: Bearer <key>`). Relay traffic shares the connection as binary frames: see `relay-frame.ts`.
 * The verbs of user requirements A12 keep their names.
 */
export const AGENT_LINK_VERSION = 2;

/**
 * The oldest version that is still spoken: the neighbour before. HELLO says the agent's version, WELCOME the one that holds
 * on the connection, the lower of both; a peer is sent only what that version knows (`agent-link-versions.ts`).
 */
export const AGENT_LINK_OLDEST = 1;

/** A session as both sides name it. A command with a generation lower than the one known is stale and refused. */
const sessionRef = { session_id: idSchema, generation: z.number().int().min(1) };

/** Numbers one relayed player connection; the coordinator counts up per link and never reuses one. */
const channelSchema = z.number().int().min(1).max(0xffff_ffff);

/** The number of a graphics card on its host, as the driver counts: 0 is the first. */
const cardSchema = z.number().int().min(0).max(63);

const megabytesSchema = z.number().int().min(0).max(100_000_000);

/** A graphics card, or the whole machine as one card when config.json lists none. Its seats follow those of the card before it. */
export const hostCardSchema = z.strictObject({
  index: cardSchema,
  seats: z.number().int().min(1).max(1_000),
  /** What may be given to apps; null when not limited. */
  vram_mb: megabytesSchema.nullable(),
  encoders: z.number().int().min(1).max(1_000).nullable(),
});
export type HostCard = z.infer<typeof hostCardSchema>;

/** What one session of an app takes of its card. */
export const appNeedsSchema = z.strictObject({
  rc_name: namedSchema,
  vram_mb: megabytesSchema,
  encoders: z.number().int().min(0).max(100),
});
export type AppNeeds = z.infer<typeof appNeedsSchema>;

/** Instances that were started ahead of their session and whose streamer has registered. */
const warmSchema = z
  .array(
    z.strictObject({ rc_name: namedSchema, card: cardSchema, ready: z.number().int().min(0).max(1_000) }),
  )
  .max(1_000);

const percentSchema = z.number().min(0).max(100);

/** How busy the host is, as it measured last. What it cannot tell is null. */
export const hostFiguresSchema = z.strictObject({
  cpu_percent: percentSchema.nullable(),
  memory_used_mb: megabytesSchema.nullable(),
  memory_total_mb: megabytesSchema.nullable(),
  cards: z
    .array(
      z.strictObject({
        index: cardSchema,
        name: z.string().max(100),
        busy_percent: percentSchema.nullable(),
        encoder_percent: percentSchema.nullable(),
        vram_used_mb: megabytesSchema.nullable(),
        vram_total_mb: megabytesSchema.nullable(),
        temperature_c: z.number().min(-100).max(200).nullable(),
      }),
    )
    .max(64),
});
export type HostFigures = z.infer<typeof hostFiguresSchema>;

/** What takes no new sessions: the whole host, by the word of its own agent (which may take that back) or an operator's, and single cards. */
export const drainingSchema = z.strictObject({
  by: z.enum(['host', 'operator']).nullable(),
  cards: z.array(cardSchema).max(64),
});
export type Draining = z.infer<typeof drainingSchema>;

/** What the coordinator may send. */
export const toAgent = {
  /** Answers HELLO: what to do with each session of the agent's inventory, and how often to say HEARTBEAT. */
  WELCOME: tolerant('msg', 'WELCOME', {
    heartbeat_ms: z.number().int().min(100),
    /** The version of the link that holds on this connection; 1 when left out. */
    protocol: z.number().int().optional(),
    sessions: z.array(z.strictObject({ ...sessionRef, action: z.enum(['keep', 'stop']) })),
    /** The coordinator wants to hear PLAYER_ANSWERED. */
    answers: z.boolean().optional(),
    /** What takes no new sessions; DRAINING tells when that changes. */
    draining: drainingSchema.optional(),
  }),
  /** What of the host takes no new sessions has changed. Only for agents that say in HELLO that they take it. */
  DRAINING: strict('msg', 'DRAINING', { draining: drainingSchema }),
  HEARTBEAT: strict('msg', 'HEARTBEAT', { time: z.number() }),
  /** Launch the app and its signalling server (A12). Repeating it with the same generation changes nothing. */
  CREATE_SESSION: strict('verb', 'CREATE_SESSION', {
    ...sessionRef,
    rc_name: namedSchema,
    user_id: idSchema,
    code: codeSchema,
    /** For the app: behind NAT it needs STUN to be reached, or TURN of its own. */
    ice_servers: z.array(iceServerSchema).max(20),
    /** On which card; the host's own first one when left out. The host checks again that it fits. */
    card: cardSchema.optional(),
    language: languageSchema.optional(),
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
    /**
     * The page numbers and acknowledges what it says on this connection and may come back to it under this id, which it
     * chose at random (see `player-channel.ts`). Without it the connection is plain and ends with either leg.
     */
    resumable: channelNameSchema.optional(),
  }),
  /** The participant has left: its connections are closed, those that wait to be resumed too. */
  DISCONNECT_USER: strict('verb', 'DISCONNECT_USER', { ...sessionRef, user_id: idSchema }),
  /** How many warm instances of each app to keep on which card, whatever config.json asks for: what is booked soon, the soonest first. Replaces the last one. */
  WARM: strict('verb', 'WARM', {
    apps: z
      .array(
        z.strictObject({
          rc_name: namedSchema,
          card: cardSchema,
          instances: z.number().int().min(0).max(1_000),
        }),
      )
      .max(1_000),
  }),
  END_SESSION: strict('verb', 'END_SESSION', { ...sessionRef, reason: endReasonSchema }),
} as const;

/** What an agent may send. */
export const fromAgent = {
  /** The first message on the link. `sessions` is the inventory: everything that runs on the host. */
  HELLO: tolerant('verb', 'HELLO', {
    protocol: z.number().int(),
    server_name: namedSchema,
    seats: z.number().int().min(1).max(1_000),
    apps: z.array(namedSchema).max(1_000),
    sessions: z
      .array(
        z.strictObject({
          ...sessionRef,
          state: z.enum(['starting', 'ready', 'restarting']),
          card: cardSchema.optional(),
        }),
      )
      .max(1_000),
    /** The agent's own release. */
    version: z.string().max(100).optional(),
    /** Drawn anew by every process that runs: two that alternate are one identity on two machines. */
    life: idSchema.optional(),
    cards: z.array(hostCardSchema).min(1).max(64).optional(),
    /** Whether sessions fill one card before the next, or are spread over all. */
    placing: z.enum(['spread', 'pack']).optional(),
    needs: z.array(appNeedsSchema).max(1_000).optional(),
    warm: warmSchema.optional(),
    /** The agent says PLAYER_ANSWERED to a coordinator that wants to hear it. Without it an open connection is all that is known of a player. */
    answers: z.boolean().optional(),
    /** The agent takes DRAINING. */
    drains: z.boolean().optional(),
  }),
  HEARTBEAT: strict('verb', 'HEARTBEAT', {
    time: z.number(),
    figures: hostFiguresSchema.optional(),
    warm: warmSchema.optional(),
  }),
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
  /** The offer of a stream was answered on the connection behind `channel`, or had been before its page came back: somebody is there. */
  PLAYER_ANSWERED: strict('msg', 'PLAYER_ANSWERED', { ...sessionRef, channel: channelSchema }),
} as const;
