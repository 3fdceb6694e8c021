import type { Services } from '../kit/services.ts';
import { Taken } from '../store/database.ts';
import type { AnyRow, ReadTable, Table } from '../store/table.ts';
import type { ReadTables, Tables } from '../store/tables.ts';
import { type Check, keyOf, type Wrong } from './check.ts';
import { checks } from './checks.ts';

/** Rows that are looked at together. */
const page_rows = 200;
/** Findings of one check that are told one by one. */
const told_most = 1_000;

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
}

export type CheckNeeds = Pick<Services, 'db' | 'clock' | 'ids'>;

const by_repair = 'run "coordinator check --repair"';

const tableOf = (tables: ReadTables, name: keyof Tables) =>
  tables[name] as unknown as ReadTable<AnyRow, string>;

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
  if (!repair || check.mend === undefined) {
    const left = await needs.db.transact(look);
    return left && { left };
  }
  let before: Wrong<AnyRow> | undefined;
  try {
    const mended = await needs.db.transact(async (tables) => {
      before = await look(tables);
      if (before === undefined) return undefined;
      await check.mend?.(needs, tables, before.row);
      const after = await look(tables);
      if (after !== undefined) throw new Unmended(after);
      return before;
    });
    return mended && { mended };
  } catch (error) {
    if (error instanceof Unmended) return { left: error.wrong };
    if (error instanceof Taken && before !== undefined) return { left: before };
    throw error;
  }
};

/** Walks one table page by page; what is wrong with it stands in `found` afterwards. */
const walk = async (
  needs: CheckNeeds,
  check: Check<AnyRow>,
  repair: boolean,
  found: { rows: number; findings: Finding[]; repaired: Finding[] },
): Promise<void> => {
  const { db, clock } = needs;
  let told = 0;
  for (let after: AnyRow | undefined; ; ) {
    const last = after;
    const page = await db.read((tables) =>
      tableOf(tables, check.table).find(
        {},
        { limit: page_rows, ...(last === undefined ? {} : { after: last }) },
      ),
    );
    after = page.at(-1);
    if (after === undefined) return;
    found.rows += page.length;
    for (const { row } of await db.read((tables) => check.wrong(tables, page, clock.now()))) {
      const key = keyOf(check.table, row);
      const verdict = await settle(needs, check, key, repair);
      if (verdict === undefined) continue;
      const about = { check: check.name, table: check.table, key };
      if ('mended' in verdict)
        found.repaired.push({ ...about, text: verdict.mended.text, advice: 'repaired' });
      else {
        const advice = repair || check.mend === undefined ? check.by_hand : by_repair;
        found.findings.push({ ...about, text: verdict.left.text, advice });
      }
      told += 1;
      if (told >= told_most) return;
    }
  }
};

const noAdministrator = async ({ db }: CheckNeeds): Promise<Finding[]> => {
  const [accounts, administrators] = await db.read(async (tables) => [
    await tables.accounts.count({}),
    await tables.accounts.count({ role: 'admin', state: 'approved' }),
  ]);
  if (accounts === 0 || (administrators ?? 0) > 0) return [];
  const advice = 'run "coordinator admin create"';
  return [
    { check: 'no_administrator', table: 'accounts', key: {}, text: 'no account is an administrator', advice },
  ];
};

/**
 * Holds the stored data against its own rules, page by page, while coordinators may go on with it. With `repair` what can be
 * mended without a loss is, each in a transaction of its own that looks again first. Rejects with Unavailable.
 */
export const checkData = async (needs: CheckNeeds, repair: boolean): Promise<DataReport> => {
  const found = { rows: 0, findings: [] as Finding[], repaired: [] as Finding[] };
  for (const check of checks) await walk(needs, check, repair, found);
  return { ...found, findings: [...found.findings, ...(await noAdministrator(needs))] };
};
