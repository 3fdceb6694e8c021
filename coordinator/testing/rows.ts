import type { Account, Booking, BookingSlot, SessionRow } from '../store/tables.ts';

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
  state: 'held',
  title: null,
  created_at: start,
  version: 1,
  ...changes,
});

export const slot = (at: number, changes: Partial<BookingSlot> = {}): BookingSlot => ({
  host: 'host-a',
  seat: 0,
  slot_at: start + at * 300_000,
  booking_id: 'booking-1',
  ...changes,
});

export const session = (number: number, changes: Partial<SessionRow> = {}): SessionRow => ({
  id: `session-${number}`,
  app: 'garden',
  host: 'host-a',
  seat: 0,
  booking_id: null,
  account_id: null,
  generation: 1,
  phase: 'assigned',
  code: '1234',
  ends_at: start + 3_600_000,
  data: '{}',
  updated_at: start,
  version: 1,
  ...changes,
});
