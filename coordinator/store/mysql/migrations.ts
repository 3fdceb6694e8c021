import { createHash } from 'node:crypto';
import firstTables from '../../../migrations/0001_first_tables.sql' with { type: 'text' };
import strangersAndKnocks from '../../../migrations/0002_strangers_and_knocks.sql' with { type: 'text' };
import unplaceableBookings from '../../../migrations/0003_unplaceable_bookings.sql' with { type: 'text' };
import accountLooks from '../../../migrations/0004_account_looks.sql' with { type: 'text' };
import hostDrains from '../../../migrations/0005_host_drains.sql' with { type: 'text' };
import moreIndexes from '../../../migrations/0006_more_indexes.sql' with { type: 'text' };
import webhookChangeover from '../../../migrations/0007_webhook_changeover.sql' with { type: 'text' };
import severalCoordinators from '../../../migrations/0008_several_coordinators.sql' with { type: 'text' };
import invites from '../../../migrations/0009_invites.sql' with { type: 'text' };
import links from '../../../migrations/0010_links.sql' with { type: 'text' };
import { type Effect, effectOf } from './effects.ts';
import { differencesSql } from './structure.ts';

/** One statement of a migration. */
interface Step {
  readonly sql: string;
  readonly checksum: string;
  /** What stands before it in the file, for people. */
  readonly comments: string;
  /** A query that finds, as `differs`, what is still to be done; nothing when the step is done. */
  readonly differences: string;
  /** What it makes, changes or drops; undefined where only `differences` can tell. */
  readonly effect: Effect | undefined;
}

/** One file of `migrations/`, taken apart into the statements that are applied and recorded one by one. */
export interface Migration {
  readonly name: string;
  /** Whether it only adds: coordinators that do not know of it work as before. */
  readonly additive: boolean;
  readonly steps: readonly Step[];
}

const separator = '--> statement-breakpoint';
const still_due = /^-- due while this finds anything:\s*/;

const stepOf = (part: string): Step | undefined => {
  const lines = part.split('\n').map((line) => line.trimEnd());
  const isComment = (line: string): boolean => line.trimStart().startsWith('--');
  const sql = lines
    .filter((line) => !isComment(line))
    .join('\n')
    .trim();
  if (sql === '') return undefined;
  const comments = lines.filter(isComment);
  const effect = effectOf(sql);
  const asked = comments.find((line) => still_due.test(line))?.replace(still_due, '');
  const differences = effect === undefined ? asked : differencesSql(effect);
  if (differences === undefined) {
    throw new TypeError(
      `nobody can see whether this is done: say "-- due while this finds anything: SELECT ... AS differs" before ${sql}`,
    );
  }
  return {
    sql,
    checksum: createHash('sha256').update(sql).digest('hex'),
    comments: comments.join('\n'),
    differences,
    effect,
  };
};

/** Takes the text of a migration apart. Comments do not count for the checksum. Throws TypeError. */
export const migrationOf = (name: string, text: string): Migration => {
  const steps = text
    .split(separator)
    .map(stepOf)
    .filter((step) => step !== undefined);
  return { name, additive: steps.every(({ effect }) => effect?.additive === true), steps };
};

/** All of them in their order. A file, once released, never changes. */
export const migrations: readonly Migration[] = [
  migrationOf('0001_first_tables', firstTables),
  migrationOf('0002_strangers_and_knocks', strangersAndKnocks),
  migrationOf('0003_unplaceable_bookings', unplaceableBookings),
  migrationOf('0004_account_looks', accountLooks),
  migrationOf('0005_host_drains', hostDrains),
  migrationOf('0006_more_indexes', moreIndexes),
  migrationOf('0007_webhook_changeover', webhookChangeover),
  migrationOf('0008_several_coordinators', severalCoordinators),
  migrationOf('0009_invites', invites),
  migrationOf('0010_links', links),
];
