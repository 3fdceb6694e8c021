import type { Log } from '../../../shared/log.ts';
import type { Unreadable } from '../database.ts';

/** Rows that are named in the log of one process, so that a table that is damaged as a whole does not fill it. */
const named_most = 1_000;

/** Says once of each row, and of each column of it, that lists leave it out. */
export const sayOnce = (log: Log): ((row: Unreadable) => void) => {
  const told = new Set<string>();
  return ({ table, key, column, message }) => {
    if (told.size >= named_most || told.has(message)) return;
    told.add(message);
    log.error({ table, row: key, column }, 'a row cannot be read and is left out of lists');
  };
};
