import type { Services } from '../kit/services.ts';
import { Taken, Unreadable } from '../store/database.ts';
import { tableNames } from '../store/import.ts';
import { shapes } from '../store/shapes.ts';
import type { AnyRow, Column, Table } from '../store/table.ts';
import type { Tables } from '../store/tables.ts';
import { by_repair, type Check, keyOf, tableOf, type Wrong } from './check.ts';
import { checks } from './checks.ts';

/** Rows that are looked at together, and of tables with long texts. */
const page_rows = 1_000;
const long_page_rows = 200;
/** Rows that a check looks at with one read: a server plans long lists of values as something else. */
const rows_at_once = 200;
/** Findings of one check that are told one by one. */
const told_most = 1_000;
/** One mend may be what the next one needs: a table may have to be looked at again, so often at most. */
const rounds_most = 5;

/** Something that the data's own rules do not allow. */
export interface Finding {
  readonly check: string;
  readonly table: string;
  readonly key: AnyRow;
  readonly text: string;
  /** What to do about it. */
  readonly advice: string;
}

export interface DataReport {
  readonly rows: number;
  readonly findings: readonly Finding[];
  readonly repaired: readonly Finding[];
  /** Checks with more than is told one by one. */
  readonly more: readonly string[];
}

export type CheckNeeds = Pick<Services, 'db' | 'clock' | 'ids'>;

/** The mend did not help: the transaction is rolled back. */
class Unmended extends Error {
  override readonly name = 'Unmended';
  readonly wrong: Wrong<AnyRow>;

  constructor(wrong: Wrong<AnyRow>) {
    super('it is still wrong');
    this.wrong = wrong;
  }
}

type Verdict = { readonly left: Wrong<AnyRow> } | { readonly mended: Wrong<AnyRow> } | undefined;

/**
 * Looks at the row again where nobody else changes it: what was under way before is done by now. With `repair` it is mended, all
 * of it or nothing.
 */
const settle = async (
  needs: CheckNeeds,
  check: Check<AnyRow>,
  key: AnyRow,
  repair: boolean,
): Promise<Verdict> => {
  const look = async (tables: Tables): Promise<Wrong<AnyRow> | undefined> => {
    const table = tables[check.table] as unknown as Table<AnyRow, string>;
    const row = await table.lock(key);
    if (row === undefined) return undefined;
    const [wrong] = await check.wrong(tables, [row], needs.clock.now());
    return wrong;
  };
  let before: Wrong<AnyRow> | undefined;
  try {
    const mended = await needs.db.transact(async (tables) => {
      before = await look(tables);
      if (before === undefined || !repair || check.mend === undefined) return undefined;
      await check.mend(needs, tables, before.row);
      const after = await look(tables);
      if (after !== undefined) throw new Unmended(after);
      return before;
    });
    if (mended !== undefined) return { mended };
  } catch (error) {
    if (error instanceof Unmended) return { left: error.wrong };
    // Others are in the way, or what cannot be read.
    if (!(error instanceof Taken || error instanceof Unreadable)) throw error;
  }
  return before && { left: before };
};

/** What came of a check, of which not more is kept than is told. */
class Tally {
  readonly told: Finding[] = [];
  readonly more = new Set<string>();
  readonly #counts = new Map<string, number>();

  add(finding: Finding): void {
    const count = (this.#counts.get(finding.check) ?? 0) + 1;
    this.#counts.set(finding.check, count);
    if (count > told_most) this.more.add(finding.check);
    else this.told.push(finding);
  }
}

interface Round {
  readonly repair: boolean;
  readonly findings: Tally;
  readonly repaired: Tally;
  rows: number;
  mended: number;
}

/** Settles what a check says of some rows. */
const judge = async (
  needs: CheckNeeds,
  check: Check<AnyRow>,
  page: readonly AnyRow[],
  round: Round,
): Promise<void> => {
  const { repair, findings, repaired } = round;
  const suspects = await needs.db.read((tables) => check.wrong(tables, page, needs.clock.now()));
  for (const { row } of suspects) {
    // Of what is only told, enough is known.
    if (!repair && findings.more.has(check.name)) return;
    const key = keyOf(check.table, row);
    const verdict = await settle(needs, check, key, repair);
    if (verdict === undefined) continue;
    const about = { check: check.name, table: check.table, key };
    if ('mended' in verdict) {
      round.mended += 1;
      repaired.add({ ...about, text: verdict.mended.text, advice: 'repaired' });
    } else {
      const advice = repair || check.mend === undefined ? check.by_hand(verdict.left.row) : by_repair;
      findings.add({ ...about, text: verdict.left.text, advice });
    }
  }
};

/** Reads one table page by page, and looks at each page by all checks of it. */
const walk = async (needs: CheckNeeds, name: keyof Tables, round: Round): Promise<void> => {
  const own = checks.filter(({ table }) => table === name);
  const long = Object.values<Column>(shapes[name].columns).some(({ kind }) => kind === 'long');
  const limit = long ? long_page_rows : page_rows;
  for (let after: AnyRow | undefined; ; ) {
    const last = after;
    const page = await needs.db.read((tables) =>
      tableOf(tables, name).find({}, { limit, ...(last === undefined ? {} : { after: last }) }),
    );
    after = page.at(-1);
    if (after === undefined) return;
    round.rows += page.length;
    for (const check of own) {
      const { at_once = rows_at_once } = check;
      for (let at = 0; at < page.length; at += at_once) {
        await judge(needs, check, page.slice(at, at + at_once), round);
      }
    }
  }
};

/** Every table, those with rules in the order of these. */
const order = [...new Set([...checks.map(({ table }) => table), ...tableNames])];

const noAdministrator = async ({ db }: CheckNeeds): Promise<Finding[]> => {
  const [accounts, administrators] = await db.read(async (tables) => [
    await tables.accounts.count({}),
    await tables.accounts.count({ role: 'admin', state: 'approved' }),
  ]);
  if (accounts === 0 || (administrators ?? 0) > 0) return [];
  const advice = 'run "coordinator admin create --email E --name N"';
  return [
    { check: 'no_administrator', table: 'accounts', key: {}, text: 'no account is an administrator', advice },
  ];
};

/**
 * Reads every row, and holds the stored data against its own rules, page by page, while coordinators may go on with it. With
 * `repair` what can be mended without a loss is, each in a transaction of its own that looks again first, until there is
 * nothing left to mend. Rejects with Unavailable.
 */
export const checkData = async (needs: CheckNeeds, repair: boolean): Promise<DataReport> => {
  const repaired = new Tally();
  for (let count = 1; ; count++) {
    const round: Round = { repair, findings: new Tally(), repaired, rows: 0, mended: 0 };
    for (const name of order) await walk(needs, name, round);
    if (round.mended > 0 && count < rounds_most) continue;
    return {
      rows: round.rows,
      findings: [...round.findings.told, ...(await noAdministrator(needs))],
      repaired: repaired.told,
      more: [...new Set([...round.findings.more, ...repaired.more])],
    };
  }
};
