import { createHash } from 'node:crypto';
import firstTables from '../../../migrations/0001_first_tables.sql' with { type: 'text' };
import strangersAndKnocks from '../../../migrations/0002_strangers_and_knocks.sql' with { type: 'text' };
import unplaceableBookings from '../../../migrations/0003_unplaceable_bookings.sql' with { type: 'text' };
import accountLooks from '../../../migrations/0004_account_looks.sql' with { type: 'text' };

/** One file of `migrations/`, taken apart into the statements that are applied and recorded one by one. */
export interface Migration {
  readonly name: string;
  readonly steps: readonly { readonly sql: string; readonly checksum: string }[];
}

const separator = '--> statement-breakpoint';

/** Takes the text of a migration apart. Comments are for people and do not count for the checksum. */
export const migrationOf = (name: string, text: string): Migration => ({
  name,
  steps: text
    .split(separator)
    .map((part) =>
      part
        .split('\n')
        .filter((line) => !line.trimStart().startsWith('--'))
        .join('\n')
        .trim(),
    )
    .filter((sql) => sql !== '')
    .map((sql) => ({ sql, checksum: createHash('sha256').update(sql).digest('hex') })),
});

/** All of them in their order. A file, once released, never changes. */
export const migrations: readonly Migration[] = [
  migrationOf('0001_first_tables', firstTables),
  migrationOf('0002_strangers_and_knocks', strangersAndKnocks),
  migrationOf('0003_unplaceable_bookings', unplaceableBookings),
  migrationOf('0004_account_looks', accountLooks),
];
