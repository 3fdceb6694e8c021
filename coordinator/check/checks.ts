import { lookless } from '../accounts/looks.ts';
import type { ReadTables, Tables } from '../store/tables.ts';
import { bookingChecks } from './bookings.ts';
import { type Check, keyOf, type RowIn, rule } from './check.ts';
import { sessionChecks } from './sessions.ts';

/** A row of one table that names a row of another one, which is gone. Nobody misses it. */
const orphans = <Name extends keyof Tables>(
  name: string,
  table: Name,
  {
    of,
    parents,
  }: {
    of: (row: RowIn<Name>) => string | undefined;
    parents: (tables: ReadTables, keys: readonly string[]) => Promise<readonly string[]>;
  },
): Check =>
  rule(table, {
    name,
    by_hand: 'remove the row',
    async wrong(tables, rows) {
      const keys = [...new Set(rows.flatMap((row) => of(row) ?? []))];
      const there = new Set(keys.length === 0 ? [] : await parents(tables, keys));
      return rows.flatMap((row) => {
        const parent = of(row);
        return parent === undefined || there.has(parent)
          ? []
          : [{ row, text: `belongs to ${JSON.stringify(parent)}, which is gone` }];
      });
    },
    async mend(_, tables, row) {
      await (tables[table] as unknown as { remove(where: object): Promise<number> }).remove(
        keyOf(table, row),
      );
    },
  });

const accountsOf = async ({ accounts }: ReadTables, ids: readonly string[]) =>
  (await accounts.find({ id: { in: ids } })).map(({ id }) => id);
const hostsOf = async ({ hosts }: ReadTables, names: readonly string[]) =>
  (await hosts.find({ name: { in: names } })).map(({ name }) => name);
const appsOf = async ({ apps }: ReadTables, names: readonly string[]) =>
  (await apps.find({ name: { in: names } })).map(({ name }) => name);

const lookMissing = rule('accounts', {
  name: 'look_missing',
  by_hand: 'start a coordinator: it notes how accounts look',
  async wrong(tables, rows) {
    const bare = await lookless(tables, rows);
    return bare.map((row) => ({ row, text: 'another account may take a name that looks like its own' }));
  },
  async mend(_, tables, row) {
    await lookless(tables, [row], tables);
  },
});

const neverDone = rule('idempotency', {
  name: 'request_never_done',
  by_hand: 'remove the row',
  // A request and its effect are stored together: whoever reads it finds it done.
  wrong: async (_, rows) =>
    rows
      .filter(({ state }) => state === 'running')
      .map((row) => ({ row, text: 'a request that was never done keeps its key' })),
  async mend(_, { idempotency }, { scope, request_key }) {
    await idempotency.remove({ scope, request_key });
  },
});

/** All rules, in the order in which they are looked at: what one mends may be what the next one needs. */
export const checks: readonly Check[] = [
  ...sessionChecks,
  ...bookingChecks,
  lookMissing,
  neverDone,
  orphans('look_of_nobody', 'account_looks', {
    of: ({ account_id }) => account_id || undefined,
    parents: accountsOf,
  }),
  orphans('token_of_nobody', 'refresh_tokens', { of: ({ account_id }) => account_id, parents: accountsOf }),
  orphans('link_of_nobody', 'reset_links', { of: ({ account_id }) => account_id, parents: accountsOf }),
  orphans('enrolment_of_nothing', 'enrolments', { of: ({ host }) => host, parents: hostsOf }),
  orphans('app_of_no_host', 'host_apps', { of: ({ host }) => host, parents: hostsOf }),
  orphans('host_of_no_app', 'host_apps', { of: ({ app }) => app, parents: appsOf }),
  orphans('queue_of_no_app', 'queue', { of: ({ app }) => app, parents: appsOf }),
  orphans('event_of_no_webhook', 'outbox', {
    of: ({ webhook_id }) => webhook_id,
    parents: async ({ webhooks }, ids) => (await webhooks.find({ id: { in: ids } })).map(({ id }) => id),
  }),
];
