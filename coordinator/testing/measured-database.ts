import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Database, Unreadable } from '../store/database.ts';
import { failureOf, seen } from '../store/mysql/failures.ts';
import { type Answer, type Execute, mysqlTable, type Statement } from '../store/mysql/table.ts';
import { answerOf, parameter } from '../store/mysql/values.ts';
import { makeTables } from '../store/tables.ts';

/** What one statement cost the server. */
export interface Measured {
  readonly sql: string;
  /** Rows that the storage engine was asked for. */
  readonly examined: number;
  /** Rows that it found, counted, changed or removed. */
  readonly found: number;
  /** Values that it named: an index is entered once for each at most. */
  readonly values: number;
}

/** The database on one connection, statement after statement, each of them measured by the session's own counters. */
export const measuredDatabase = (connection: Connection): { db: Database; statements: Measured[] } => {
  const statements: Measured[] = [];
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  /** Rows asked for in this session until now. `FLUSH STATUS` would begin anew, and commit. */
  const asked = async (): Promise<number> => {
    const [status] = await connection.query<RowDataPacket[]>("SHOW SESSION STATUS LIKE 'Handler_read%'");
    return status.reduce((sum, { Value }) => sum + Number(Value), 0);
  };
  const run = async (table: string, { sql, params }: Statement): Promise<Answer> => {
    // Asking reads rows, too.
    const [idle, before] = [await asked(), await asked()];
    try {
      const [result] = await connection.execute(sql, params.map(parameter));
      const answer = answerOf(result);
      const examined = (await asked()) - before - (before - idle);
      const counted = answer.rows[0]?.rows;
      const found = typeof counted === 'number' ? counted : answer.matched;
      statements.push({ sql, examined, found, values: params.length });
      return answer;
    } catch (error) {
      throw seen(error, failureOf(error, table));
    }
  };
  const execute: Execute = (table, statement) => inTurn(() => run(table, statement));
  const leftOut = (row: Unreadable): void => {
    throw row;
  };
  const tables = makeTables((shape) => mysqlTable({ shape, execute, certified: false, leftOut }));
  return {
    statements,
    db: {
      shared: true,
      read: (work) => work(tables),
      async transact(work) {
        await inTurn(() => connection.beginTransaction());
        try {
          const value = await work(tables);
          await inTurn(() => connection.commit());
          return value;
        } catch (error) {
          await inTurn(() => connection.rollback());
          throw error;
        }
      },
      health: async () => ({ ok: true }),
      compact: async () => undefined,
      close: async () => undefined,
    },
  };
};
