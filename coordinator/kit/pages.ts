/** Which part of a list somebody asks for: so many rows after the one with this id. */
export interface Asked {
  readonly limit: number;
  readonly after?: string | undefined;
}

/** A part of a list; `next` is what to ask for after it, null at the end. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly next: string | null;
}

/** The page of `limit` rows, of rows that were found with a limit of one more. */
export const pageOf = <Row>(found: readonly Row[], limit: number, idOf: (row: Row) => string): Page<Row> => {
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, next: found.length > limit && last !== undefined ? idOf(last) : null };
};

/** A range of instants from `from` up to, not including, `to`, as a condition; undefined when it has no end. */
export const rangeOf = (from: number | undefined, to: number | undefined) =>
  from === undefined && to === undefined
    ? undefined
    : { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
