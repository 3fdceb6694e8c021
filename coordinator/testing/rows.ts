import type {
  Account,
  AppRow,
  AuditRow,
  Booking,
  HostRow,
  OutboxRow,
  RecordRow,
  SeatSlot,
  SessionRow,
  WebhookRow,
} from '../store/tables.ts';

const start = Date.UTC(2026, 10, 2, 9);

/** Rows for tests: valid, and told apart by their number. */
export const account = (number: number, changes: Partial<Account> = {}): Account => ({
  id: `account-${number}`,
  email: `someone${number}@example.com`,
  name: `Someone ${number}`,
  password_hash: 'hash',
  role: 'user',
  state: 'approved',
  reason: null,
  epoch: 0,
  created_at: start + number,
  decided_at: null,
  decided_by: null,
  quota_sessions: null,
  quota_minutes: null,
  version: 1,
  ...changes,
});

export const booking = (number: number, changes: Partial<Booking> = {}): Booking => ({
  id: `booking-${number}`,
  app: 'garden',
  account_id: 'account-1',
  host: 'host-a',
  seat: 0,
  starts_at: start,
  ends_at: start + 3_600_000,
  zone: 'Europe/Berlin',
  code: '1234',
  invite: 'invite-1',
  token_hash: null,
  state: 'held',
  session_id: null,
  title: null,
  unplaceable_at: null,
  created_at: start,
  version: 1,
  ...changes,
});

export const slot = (at: number, changes: Partial<SeatSlot> = {}): SeatSlot => ({
  host: 'host-a',
  seat: 0,
  slot_at: start + at * 300_000,
  holder: 'booking-1',
  app: 'garden',
  ...changes,
});

export const session = (number: number, changes: Partial<SessionRow> = {}): SessionRow => ({
  id: `session-${number}`,
  app: 'garden',
  host: 'host-a',
  seat: 0,
  invite: null,
  booking_id: null,
  account_id: null,
  generation: 1,
  phase: 'assigned',
  code: '1234',
  ends_at: start + 3_600_000,
  data: '{}',
  created_at: start,
  updated_at: start,
  version: 1,
  ...changes,
});

export const appRow = (name: string, changes: Partial<AppRow> = {}): AppRow => ({
  name,
  title: '{}',
  description: '{}',
  picture: null,
  default_minutes: 30,
  max_minutes: 60,
  idle_seconds: 300,
  who_may_start: 'anyone',
  lobby: false,
  enabled: true,
  quota_sessions: null,
  quota_minutes: null,
  source: 'rest',
  version: 1,
  ...changes,
});

export const hostRow = (name: string, changes: Partial<HostRow> = {}): HostRow => ({
  name,
  key_hash: '',
  ip: '127.0.0.1',
  port: 1,
  seats: 10,
  capacity: null,
  draining: false,
  draining_cards: '[]',
  drained_by_host_at: null,
  held_by: null,
  quarantined_at: null,
  source: 'rest',
  created_at: start,
  version: 1,
  ...changes,
});

export const recordRow = (number: number, changes: Partial<RecordRow> = {}): RecordRow => ({
  session_id: `session-${number}`,
  app: 'garden',
  host: 'host-a',
  account_id: null,
  booking_id: null,
  waited_ms: 400,
  phases: '{"accepted":1,"ready":401}',
  minutes: 12,
  participants_max: 2,
  end_reason: 1,
  started_at: start + number * 60_000,
  ended_at: start + number * 60_000 + 720_000,
  ...changes,
});

export const webhookRow = (number: number, changes: Partial<WebhookRow> = {}): WebhookRow => ({
  id: `webhook-${number}`,
  url: 'http://127.0.0.1:1/',
  secret: `secret-of-webhook-${number}`,
  secret_before: null,
  secret_before_until: null,
  events: '["session.ended"]',
  enabled: true,
  version: 1,
  ...changes,
});

export const auditRow = (number: number, changes: Partial<AuditRow> = {}): AuditRow => ({
  id: `audit-${number}`,
  at: start + number * 60_000,
  actor: 'account-1',
  action: 'app.changed',
  subject: 'garden',
  detail: '{}',
  ...changes,
});

export const outboxRow = (number: number, changes: Partial<OutboxRow> = {}): OutboxRow => ({
  id: `event-${number}`,
  webhook_id: 'webhook-1',
  event: 'session.ended',
  body: '{}',
  created_at: start,
  due_at: start,
  attempts: 1,
  state: 'delivered',
  delivered_at: start,
  ...changes,
});
