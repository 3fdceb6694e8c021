import { sessionPhases } from '../../shared/protocol/session.ts';
import { accountShapes } from '../accounts/rows.ts';
import { app_name_chars, catalogueShapes, server_name_chars } from '../catalogue/rows.ts';
import { linkShapes, strangerShapes } from '../seats/rows.ts';
import { choice, flag, id, instant, int, json, long, name, optional, shape, text } from './table.ts';

const title_chars = 200;
const zone_chars = 64;
const url_chars = 2_000;

/** The tables. After a change here: `bun coordinator/testing/new-migration.ts NAME`, then review what it wrote to `migrations/`. */
export const shapes = {
  ...accountShapes,

  ...catalogueShapes,

  ...linkShapes,

  ...strangerShapes,

  bookings: shape(
    'bookings',
    {
      id: id(),
      app: name(app_name_chars),
      account_id: optional(id()),
      host: name(server_name_chars),
      seat: int(),
      /** The booked time is [starts_at, ends_at). */
      starts_at: instant(),
      ends_at: instant(),
      /** IANA time zone in which the visitor chose it. */
      zone: text(zone_chars),
      code: id(),
      /** The secret of its invite link. */
      invite: id(),
      /** SHA-256 of the token by which someone without an account manages it. */
      token_hash: optional(id()),
      /** `lost`: its host went away and no other seat fitted. */
      state: choice('held', 'open', 'used', 'cancelled', 'missed', 'lost'),
      session_id: optional(id()),
      title: optional(text(title_chars)),
      /** Since when its host is away and no other seat fits; null while it has a place. */
      unplaceable_at: optional(instant()),
      created_at: instant(),
      version: int(),
    },
    ['id'],
    {
      indexes: {
        account: ['account_id', 'starts_at'],
        app: ['app', 'starts_at'],
        host: ['host', 'seat', 'starts_at'],
        host_state: ['host', 'state', 'starts_at'],
        host_starts: ['host', 'starts_at'],
        starts: ['starts_at'],
        state: ['state', 'starts_at'],
        code: ['code'],
        invite: ['invite'],
      },
    },
  ),

  /**
   * One row for each 5 minutes of a seat that a booking or a session holds: the key is the proof that nothing overlaps. The
   * apps of all rows of a card's seats say what of the card is left.
   */
  seat_slots: shape(
    'seat_slots',
    {
      host: name(server_name_chars),
      seat: int(),
      slot_at: instant(),
      holder: id(),
      app: name(app_name_chars),
    },
    ['host', 'seat', 'slot_at'],
    { indexes: { holder: ['holder'] } },
  ),

  sessions: shape(
    'sessions',
    {
      id: id(),
      app: name(app_name_chars),
      host: name(server_name_chars),
      seat: int(),
      booking_id: optional(id()),
      account_id: optional(id()),
      generation: int(),
      phase: choice(...sessionPhases),
      code: id(),
      /** When it ends at the latest. */
      ends_at: instant(),
      /** The secret of its invite link; null in rows that an older coordinator wrote. */
      invite: optional(id()),
      /** JSON: the rest of its state. */
      data: long(),
      created_at: instant(),
      updated_at: instant(),
      version: int(),
    },
    ['id'],
    {
      indexes: {
        host: ['host', 'phase'],
        phase: ['phase', 'ends_at'],
        account: ['account_id', 'created_at'],
        booking: ['booking_id'],
        invite: ['invite'],
        updated: ['host', 'updated_at'],
      },
    },
  ),

  /** Codes that open something, or did so less than the quarantine ago: the key keeps live codes apart. */
  codes: shape('codes', { code: id(), holder: id(), free_at: optional(instant()) }, ['code'], {
    indexes: { holder: ['holder'], free: ['free_at'] },
  }),

  /** Who waits for a seat. */
  queue: shape(
    'queue',
    {
      id: id(),
      app: name(app_name_chars),
      /** SHA-256 of the token by which whoever waits is known. */
      token_hash: id(),
      created_at: instant(),
      /** When it last asked for its place. */
      seen_at: instant(),
      /** Until then the seat that came free is kept for them. */
      claim_until: optional(instant()),
      state: choice('waiting', 'offered'),
      version: int(),
    },
    ['id'],
    { indexes: { app: ['app', 'state', 'created_at'], claim: ['state', 'claim_until'] } },
  ),

  /** What is left of a session: written once, when it has ended. */
  records: shape(
    'records',
    {
      session_id: id(),
      app: name(app_name_chars),
      host: name(server_name_chars),
      account_id: optional(id()),
      booking_id: optional(id()),
      waited_ms: int(),
      /** JSON: each phase with the instant of its beginning. */
      phases: json(long()),
      minutes: int(),
      participants_max: int(),
      /** Number of the end reason; see the protocol page. */
      end_reason: int(),
      started_at: instant(),
      ended_at: instant(),
    },
    ['session_id'],
    {
      indexes: {
        ended: ['ended_at'],
        account: ['account_id', 'started_at'],
        account_ended: ['account_id', 'ended_at'],
        app_ended: ['app', 'ended_at'],
      },
    },
  ),

  webhooks: shape(
    'webhooks',
    {
      id: id(),
      url: text(url_chars),
      secret: text(200),
      /** The one before, which signs as well until then. */
      secret_before: optional(text(200)),
      secret_before_until: optional(instant()),
      /** JSON: names of events. */
      events: json(
        long(),
        (value) => Array.isArray(value) && value.every((event) => typeof event === 'string'),
      ),
      enabled: flag(),
      version: int(),
    },
    ['id'],
  ),

  /** Events on their way to one webhook each; stored with what they tell of. */
  outbox: shape(
    'outbox',
    {
      id: id(),
      webhook_id: id(),
      event: name(64),
      body: long(),
      created_at: instant(),
      /** The next attempt; of a row that is no longer waiting, when that came to be. */
      due_at: instant(),
      attempts: int(),
      state: choice('waiting', 'delivered', 'given_up'),
      delivered_at: optional(instant()),
    },
    ['id'],
    {
      indexes: {
        due: ['state', 'due_at'],
        next: ['webhook_id', 'state', 'due_at'],
        webhook: ['webhook_id', 'created_at'],
      },
    },
  ),

  /** What administrators and operators did. */
  audit: shape(
    'audit',
    {
      id: id(),
      at: instant(),
      actor: id(),
      action: name(64),
      subject: name(server_name_chars),
      detail: json(long()),
    },
    ['id'],
    { indexes: { at: ['at'], actor: ['actor', 'at'], subject: ['subject', 'at'] } },
  ),

  /** Answers to requests that carried an Idempotency-Key, stored with their effect. */
  idempotency: shape(
    'idempotency',
    {
      scope: name(200),
      request_key: name(200),
      body_hash: id(),
      state: choice('running', 'done'),
      status: int(),
      response: long(),
      expires_at: instant(),
    },
    ['scope', 'request_key'],
    { indexes: { expires: ['expires_at'] } },
  ),

  /** The coordinators that share the database, each by its `coordinator_name`. */
  coordinators: shape(
    'coordinators',
    {
      name: id(),
      /** Of the process that renews it: no other one has it. */
      life: id(),
      /** Grows while the coordinator lives; for how long it has not grown each sees by its own clock. */
      renewals: int(),
    },
    ['name'],
  ),

  /** Counts per window of time, shared by all coordinators: throttles. */
  counters: shape(
    'counters',
    { name: name(200), window_at: instant(), hits: int(), expires_at: instant() },
    ['name', 'window_at'],
    { indexes: { expires: ['expires_at'] } },
  ),
};
