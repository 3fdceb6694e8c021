import { type Refusal, refuse } from '../../shared/errors.ts';
import type { AuditEntry, SessionRecord } from '../../shared/protocol/records.ts';
import { type EndReason, endReasons } from '../../shared/protocol/session.ts';
import { type Asked, type Page, pageOf, rangeOf } from '../kit/pages.ts';
import type { Services } from '../kit/services.ts';
import { olderThan, portion, type Removals } from '../kit/sweep.ts';
import type { Where } from '../store/table.ts';
import type { AuditRow, RecordRow } from '../store/tables.ts';

type Parts = Pick<Services, 'db'>;

/** Rows of one page of an export. Large, as SQL walks past those of earlier pages again where a filter is given. */
const export_rows = 5_000;

const isEndReason = (name: string): name is EndReason => Object.hasOwn(endReasons, name);

const reasonNames: ReadonlyMap<number, EndReason> = new Map(
  Object.entries(endReasons).flatMap(([name, code]) => (isEndReason(name) ? [[code, name] as const] : [])),
);

/** Which records somebody asks for: by the instant of their end, from `from` up to, not including, `to`. */
export interface RecordFilter {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly app?: string | undefined;
  readonly account?: string | undefined;
}

export const describeRecord = ({ phases, end_reason, ...row }: RecordRow): SessionRecord => ({
  ...row,
  phases: JSON.parse(phases),
  end: { code: end_reason, name: reasonNames.get(end_reason) ?? null },
});

const recordsWhere = ({ from, to, app, account }: RecordFilter): Where<RecordRow> => {
  const ended_at = rangeOf(from, to);
  return {
    ...(ended_at === undefined ? {} : { ended_at }),
    ...(app === undefined ? {} : { app }),
    ...(account === undefined ? {} : { account_id: account }),
  };
};

const newestEnd = { order: ['ended_at'], descending: true } as const;

/** One page of records, newest end first; malformed when `after` names none. */
export const listRecords = (
  { db }: Parts,
  filter: RecordFilter,
  { limit, after }: Asked,
): Promise<Page<SessionRecord> | Refusal> =>
  db.read(async ({ records }) => {
    const last = after === undefined ? undefined : await records.get({ session_id: after });
    if (after !== undefined && last === undefined)
      return refuse('malformed', 'after: there is no such record');
    const selection = { ...newestEnd, limit: limit + 1, ...(last === undefined ? {} : { after: last }) };
    const found = await records.find(recordsWhere(filter), selection);
    return pageOf(found.map(describeRecord), limit, ({ session_id }) => session_id);
  });

/** All records of the filter, newest end first, page by page: each is read when it is asked for. */
export const everyRecord = async function* (
  { db }: Parts,
  filter: RecordFilter,
  rows = export_rows,
): AsyncGenerator<readonly SessionRecord[]> {
  let after: RecordRow | undefined;
  do {
    const selection = { ...newestEnd, limit: rows, ...(after === undefined ? {} : { after }) };
    const page = await db.read(({ records }) => records.find(recordsWhere(filter), selection));
    after = page.length < rows ? undefined : page.at(-1);
    yield page.map(describeRecord);
  } while (after !== undefined);
};

/** The record of one session; session_unknown while it lives or when there was none. */
export const showRecord = async ({ db }: Parts, session_id: string): Promise<SessionRecord | Refusal> => {
  const row = await db.read(({ records }) => records.get({ session_id }));
  return row === undefined ? refuse('session_unknown', 'it has no record') : describeRecord(row);
};

export interface AuditFilter {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly actor?: string | undefined;
  readonly subject?: string | undefined;
}

const describeEntry = ({ detail, ...row }: AuditRow): AuditEntry => ({ ...row, detail: JSON.parse(detail) });

/** One page of the audit log, newest first; malformed when `after` names no entry. */
export const listAudit = (
  { db }: Parts,
  { from, to, actor, subject }: AuditFilter,
  { limit, after }: Asked,
): Promise<Page<AuditEntry> | Refusal> =>
  db.read(async ({ audit }) => {
    const last = after === undefined ? undefined : await audit.get({ id: after });
    if (after !== undefined && last === undefined)
      return refuse('malformed', 'after: there is no such entry');
    const at = rangeOf(from, to);
    const where = {
      ...(at === undefined ? {} : { at }),
      ...(actor === undefined ? {} : { actor }),
      ...(subject === undefined ? {} : { subject }),
    };
    const paged = last === undefined ? {} : { after: last };
    const found = await audit.find(where, { order: ['at'], descending: true, limit: limit + 1, ...paged });
    return pageOf(found.map(describeEntry), limit, ({ id }) => id);
  });

/** What was kept long enough. */
export const recordRemovals: Removals = {
  records: async ({ records }, now, { keep_records_days: days }) =>
    days === undefined ? 0 : records.remove({ ended_at: olderThan(now, days) }, portion),
};
