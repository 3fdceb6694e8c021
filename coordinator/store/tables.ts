import { shapes } from './shapes.ts';
import type { AnyRow, ReadTable, RowOf, Shape, Table } from './table.ts';

type Shapes = typeof shapes;

export type Account = RowOf<Shapes['accounts']>;
export type AppRow = RowOf<Shapes['apps']>;
export type FileEntry = RowOf<Shapes['file_entries']>;
export type LinkRow = RowOf<Shapes['links']>;
export type HostRow = RowOf<Shapes['hosts']>;
export type Booking = RowOf<Shapes['bookings']>;
export type SeatSlot = RowOf<Shapes['seat_slots']>;
export type Queued = RowOf<Shapes['queue']>;
export type Stranger = RowOf<Shapes['strangers']>;
export type Knock = RowOf<Shapes['knocks']>;
export type SessionRow = RowOf<Shapes['sessions']>;
export type RecordRow = RowOf<Shapes['records']>;
export type WebhookRow = RowOf<Shapes['webhooks']>;
export type OutboxRow = RowOf<Shapes['outbox']>;
export type AuditRow = RowOf<Shapes['audit']>;

export type Tables = {
  readonly [Name in keyof Shapes]: Shapes[Name] extends Shape<infer Row, infer Key> ? Table<Row, Key> : never;
};
export type ReadTables = {
  readonly [Name in keyof Shapes]: Shapes[Name] extends Shape<infer Row, infer Key>
    ? ReadTable<Row, Key>
    : never;
};

/** All tables, each made by `make` from its shape. */
export const makeTables = (
  make: <Row extends AnyRow, Key extends keyof Row & string>(shape: Shape<Row, Key>) => Table<Row, Key>,
): Tables => ({
  accounts: make(shapes.accounts),
  account_looks: make(shapes.account_looks),
  refresh_tokens: make(shapes.refresh_tokens),
  reset_links: make(shapes.reset_links),
  signing_keys: make(shapes.signing_keys),
  apps: make(shapes.apps),
  hosts: make(shapes.hosts),
  enrolments: make(shapes.enrolments),
  file_entries: make(shapes.file_entries),
  host_apps: make(shapes.host_apps),
  links: make(shapes.links),
  bookings: make(shapes.bookings),
  seat_slots: make(shapes.seat_slots),
  sessions: make(shapes.sessions),
  codes: make(shapes.codes),
  queue: make(shapes.queue),
  strangers: make(shapes.strangers),
  knocks: make(shapes.knocks),
  records: make(shapes.records),
  webhooks: make(shapes.webhooks),
  outbox: make(shapes.outbox),
  audit: make(shapes.audit),
  idempotency: make(shapes.idempotency),
  coordinators: make(shapes.coordinators),
  counters: make(shapes.counters),
});
