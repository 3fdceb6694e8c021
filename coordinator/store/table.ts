/** What a column can hold; null only where the column is optional. */
export type Scalar = string | number | boolean | null;
export type AnyRow = Readonly<Record<string, Scalar>>;

/**
 * `id` and `name` can be compared and stand in keys; `text` and `long` are only kept. `instant` is whole milliseconds since
 * the Unix epoch. `choice` is one of a closed list of words.
 */
export type Kind = 'id' | 'name' | 'text' | 'long' | 'int' | 'instant' | 'flag' | 'choice';

export interface Column<Value extends Scalar = Scalar> {
  readonly kind: Kind;
  /** Longest text in UTF-16 units; 0 for what is no text. */
  readonly length: number;
  readonly optional: boolean;
  /** What it holds, for people: "a whole number". */
  readonly wants: string;
  /** Whether the column can hold the value: the same answer for every database. */
  readonly holds: (value: unknown) => value is Value;
}

const id_chars = 64;
const choice_chars = 16;
/** What one `long` may hold. It fits MEDIUMTEXT and the smallest packet of MySQL and MariaDB in any script. */
const long_chars = 1_000_000;
const int_max = 2 ** 31 - 1;

const column = <Value extends Scalar>(
  kind: Kind,
  length: number,
  wants: string,
  holds: (value: unknown) => value is Value,
): Column<Value> => ({ kind, length, optional: false, wants, holds });

/** A half surrogate would come back from MySQL as a question mark. */
const isText = (value: unknown, length: number): value is string =>
  typeof value === 'string' && value.length <= length && value.isWellFormed();

const isWhole = (value: unknown, from: number, to: number): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= from && value <= to;

/** An identifier, hash or code: printable ASCII without spaces, up to 64 characters. */
export const id = (): Column<string> =>
  column(
    'id',
    id_chars,
    'up to 64 printable ASCII characters without spaces',
    (value): value is string => typeof value === 'string' && /^[!-~]{0,64}$/.test(value),
  );

/** A text that is compared exactly. No space at its ends: MySQL would not tell it from the text without. */
export const name = (length: number): Column<string> =>
  column(
    'name',
    length,
    `a text of up to ${length} characters without blanks at its ends`,
    (value): value is string => isText(value, length) && value.trim() === value,
  );

/** A text that is kept and never compared. */
export const text = (length: number): Column<string> =>
  column('text', length, `a text of up to ${length} characters`, (value) => isText(value, length));

/** A long text, most often JSON that the caller encodes. */
export const long = (): Column<string> =>
  column('long', long_chars, 'a text of up to a million characters', (value) => isText(value, long_chars));

/** JSON that is read again: a column of texts that holds nothing but JSON which satisfies `fits`. */
export const json = (
  inner: Column<string>,
  fits: (value: unknown) => boolean = (value) => typeof value === 'object' && value !== null,
): Column<string> => ({
  ...inner,
  wants: 'JSON of the form that this version knows',
  holds: (value): value is string => {
    if (!inner.holds(value)) return false;
    try {
      return fits(JSON.parse(value));
    } catch {
      return false;
    }
  },
});

/** A whole number of 32 bits. */
export const int = (): Column<number> =>
  column('int', 0, 'a whole number of 32 bits', (value): value is number =>
    isWhole(value, -int_max, int_max),
  );

/** Milliseconds since the Unix epoch, in UTC. */
export const instant = (): Column<number> =>
  column('instant', 0, 'ms since 1970', (value): value is number =>
    isWhole(value, 0, Number.MAX_SAFE_INTEGER),
  );

export const flag = (): Column<boolean> =>
  column('flag', 0, '0 or 1', (value): value is boolean => typeof value === 'boolean');

/** One of a closed list of words of up to 16 letters. */
export const choice = <Word extends string>(...words: readonly Word[]): Column<Word> =>
  column('choice', choice_chars, `one of ${words.join(', ')}`, (value): value is Word =>
    words.some((word) => word === value),
  );

/** The same column, where null stands for "not (yet) there". */
export const optional = <Value extends Scalar>(inner: Column<Value>): Column<Value | null> => ({
  ...inner,
  optional: true,
  wants: `${inner.wants}, or NULL`,
  holds: (value): value is Value | null => value === null || inner.holds(value),
});

/** A table as every database builds it: the JSON files, the SQL schema and the checks come from here. */
export interface Shape<Row extends AnyRow, Key extends keyof Row & string> {
  readonly name: string;
  readonly columns: { readonly [Name in keyof Row]: Column<Row[Name]> };
  /** The primary key, in the order of its index. */
  readonly key: readonly Key[];
  /** Unique indexes by name. A row with a null in one takes no place in it. */
  readonly unique: Readonly<Record<string, readonly (keyof Row & string)[]>>;
  /** Further indexes by name, for what is searched often. */
  readonly indexes: Readonly<Record<string, readonly (keyof Row & string)[]>>;
}

export const shape = <Row extends AnyRow, Key extends keyof Row & string>(
  name: string,
  columns: { readonly [Name in keyof Row]: Column<Row[Name]> },
  key: readonly Key[],
  { unique = {}, indexes = {} }: Partial<Pick<Shape<Row, Key>, 'unique' | 'indexes'>> = {},
): Shape<Row, Key> => ({ name, columns, key, unique, indexes });

export type RowOf<S> = S extends Shape<infer Row, infer _Key> ? Row : never;

/** What one column must satisfy: a value, one of several, or a range from `from` up to, not including, `to`. */
export type Condition<Value> =
  | Value
  | { readonly in: readonly Value[] }
  | { readonly from?: Value; readonly to?: Value };

/** Every named column satisfies its condition. */
export type Where<Row> = { readonly [Name in keyof Row]?: Condition<Row[Name]> };

/** Columns that have a place in an order: those that are never null. */
type Ordered<Row> = { [Name in keyof Row]: null extends Row[Name] ? never : Name }[keyof Row] & string;

export interface Selection<Row> {
  /** Sort by these columns; the key decides between equals. Without it by the key. */
  readonly order?: readonly Ordered<Row>[];
  /** The other way round, in all columns. */
  readonly descending?: boolean;
  /** At most so many rows. Without it a result above `find_rows` is an error. */
  readonly limit?: number;
  /** Only what comes after this row in the order: the last row of the page before. */
  readonly after?: Row;
}

/** Most rows of one `find` without a limit; a search that can find more has to page. */
export const find_rows = 100_000;
/** Most rows of one `insert`. */
export const insert_rows = 1_000;

/** The part of a table that `read` may use. */
export interface ReadTable<Row extends AnyRow, Key extends keyof Row> {
  get(key: Pick<Row, Key>): Promise<Row | undefined>;
  /** The rows that satisfy all of `where`; `{}` is every row. */
  find(where: Where<Row>, selection?: Selection<Row>): Promise<Row[]>;
  count(where: Where<Row>): Promise<number>;
}

export interface Table<Row extends AnyRow, Key extends keyof Row> extends ReadTable<Row, Key> {
  /** The row, which nobody else changes or locks before this transaction has ended. A missing row locks nothing. */
  lock(key: Pick<Row, Key>): Promise<Row | undefined>;
  /** Adds all rows or none. Throws Taken when a key or unique index holds such a row already. */
  insert(...rows: readonly Row[]): Promise<void>;
  /**
   * Changes the row with this key if it also satisfies `expected`, and says whether it did. Where the table has a
   * `version`, it grows by one by itself; `{ version: n }` as expected is optimistic locking. Throws Taken.
   */
  update(
    key: Pick<Row, Key>,
    changes: Partial<Omit<Row, Key | 'version'>>,
    expected?: Where<Row>,
  ): Promise<boolean>;
  /** Removes what satisfies `where`, which names a column at least, or `limit` rows of it; says how many rows that were. */
  remove(where: Where<Row>, selection?: Pick<Selection<Row>, 'limit'>): Promise<number>;
}
