import type { Tables } from '../store/tables.ts';
import { absentFrom, type Check, keyOf, type RowIn, rule, whereSql } from './check.ts';

/** A row of one table that names a row of another one, which is gone. Nobody misses it. */
const orphans = <Name extends keyof Tables>(
  name: string,
  table: Name,
  of: (row: RowIn<Name>) => string,
  parents: keyof Tables,
): Check =>
  rule(table, {
    name,
    by_hand: (row) => `DELETE FROM \`${table}\` ${whereSql(keyOf(table, row))}`,
    async wrong(tables, rows) {
      // The marker among the looks belongs to nobody.
      const named = rows.filter((row) => of(row) !== '');
      const gone = await absentFrom(tables, parents, named.map(of));
      return named
        .filter((row) => gone.has(of(row)))
        .map((row) => ({ row, text: `belongs to ${JSON.stringify(of(row))}, which is gone` }));
    },
    async mend(_, tables, row) {
      await (tables[table] as unknown as { remove(where: object): Promise<number> }).remove(
        keyOf(table, row),
      );
    },
  });

/** What belongs to somebody or something that is gone. */
export const orphanChecks: readonly Check[] = [
  orphans('look_of_nobody', 'account_looks', ({ account_id }) => account_id, 'accounts'),
  orphans('token_of_nobody', 'refresh_tokens', ({ account_id }) => account_id, 'accounts'),
  orphans('link_of_nobody', 'reset_links', ({ account_id }) => account_id, 'accounts'),
  orphans('enrolment_of_nothing', 'enrolments', ({ host }) => host, 'hosts'),
  orphans('app_of_no_host', 'host_apps', ({ host }) => host, 'hosts'),
  orphans('host_of_no_app', 'host_apps', ({ app }) => app, 'apps'),
  orphans('queue_of_no_app', 'queue', ({ app }) => app, 'apps'),
  orphans('event_of_no_webhook', 'outbox', ({ webhook_id }) => webhook_id, 'webhooks'),
];
