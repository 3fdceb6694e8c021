import type { Connection, RowDataPacket } from 'mysql2/promise';
import type { Log } from '../../../shared/log.ts';
import { Unusable } from '../database.ts';

/** A session with many participants and its history; the servers' own default is 16 MiB and more. */
const packet_bytes = 4 * 1_024 * 1_024;

/** Looks at what a session cannot set for itself. Throws Unusable. */
export const checkServer = async (connection: Pick<Connection, 'query'>, log: Log): Promise<void> => {
  const [answer] = await connection.query<RowDataPacket[]>(
    'SELECT @@innodb_flush_log_at_trx_commit AS flush, @@log_bin AS logged, @@binlog_format AS format, @@max_allowed_packet AS packet',
  );
  const { flush, logged, format, packet } = answer[0] ?? ({} as Record<string, unknown>);
  if (Number(logged) === 1 && format === 'STATEMENT') {
    throw new Unusable(
      'The server has binlog_format = STATEMENT, with which it refuses every write of a READ COMMITTED transaction. Set it to ROW.',
    );
  }
  if (Number(packet) < packet_bytes) {
    throw new Unusable(
      `The server has max_allowed_packet = ${packet}. Set it to ${packet_bytes} or more: rows can be as large.`,
    );
  }
  if (Number(flush) !== 1) {
    log.warn('innodb_flush_log_at_trx_commit is not 1: a crash of the database can lose bookings');
  }
};
