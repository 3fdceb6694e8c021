import { type Refusal, refuse } from '../../shared/errors.ts';
import { looksOf } from '../../shared/look-alike.ts';
import { hashOf } from '../kit/secrets.ts';
import type { Services } from '../kit/services.ts';
import { transactAgain } from '../kit/throttle.ts';
import type { Account, ReadTables, Tables } from '../store/tables.ts';

type Named = Pick<Account, 'id' | 'name' | 'email'>;
type Kind = 'name' | 'email';

/** Accounts of an older release that are looked at in one transaction. */
const portion = 200;
/** The row that says so once the looks of all accounts are noted as this release sees them. */
const complete = 'complete-2';

/** In one order for everybody, so that two who want several wait for each other once at most. */
const looksFor = (kind: Kind, text: string): readonly string[] =>
  looksOf(text)
    .map((look) => hashOf(`${kind} ${look}`))
    .sort();

/**
 * Whether no other account that is not out has one of the looks in another spelling; a namesake is no double. With `take` those
 * that nobody has are the account's from now on; Taken in a race for one.
 */
const free = async (tables: Tables, kind: Kind, { id, [kind]: text }: Named, take: boolean) => {
  const mine = { spelling: hashOf(text), account_id: id };
  const vacant: { look: string; known: boolean }[] = [];
  for (const look of looksFor(kind, text)) {
    const row = await tables.account_looks.lock({ look });
    const holder = row && (await tables.accounts.get({ id: row.account_id }));
    const out = holder === undefined || holder.state === 'rejected';
    if (row !== undefined && !out && row.spelling !== mine.spelling) return false;
    if (out) vacant.push({ look, known: row !== undefined });
  }
  for (const { look, known } of take ? vacant : []) {
    if (known) await tables.account_looks.update({ look }, mine);
    else await tables.account_looks.insert({ look, ...mine });
  }
  return true;
};

/**
 * Which of the account's words differs from another account's in nothing but case or script; undefined when none does. With
 * `take`, in the transaction that adds the account, they are its own from now on.
 */
export const doubledWord = async (tables: Tables, account: Named, take = true): Promise<Kind | undefined> => {
  if (!(await free(tables, 'name', account, take))) return 'name';
  return (await free(tables, 'email', account, take)) ? undefined : 'email';
};

/**
 * Of the accounts that are not out those of whose looks one is nobody's, so that somebody could pass for them. With `taking`, the
 * tables of a transaction, they get it. None before `createLooks` has been through once: it notes them itself.
 */
export const lookless = async (
  { account_looks }: Pick<ReadTables, 'account_looks'>,
  accounts: readonly Account[],
  taking?: Tables,
): Promise<readonly Account[]> => {
  if ((await account_looks.get({ look: complete })) === undefined) return [];
  const there = accounts.filter(({ state }) => state !== 'rejected');
  const looksOfEach = (account: Account) =>
    (['name', 'email'] as const).flatMap((kind) => looksFor(kind, account[kind]));
  const all = [...new Set(there.flatMap(looksOfEach))];
  const rows = all.length === 0 ? [] : await account_looks.find({ look: { in: all } });
  const noted = new Set(rows.map(({ look }) => look));
  const bare = there.filter((account) => looksOfEach(account).some((look) => !noted.has(look)));
  for (const account of taking === undefined ? [] : bare) {
    for (const kind of ['name', 'email'] as const) {
      for (const look of looksFor(kind, account[kind]).filter((each) => !noted.has(each))) {
        await taking?.account_looks.insert({ look, spelling: hashOf(account[kind]), account_id: account.id });
      }
    }
  }
  return bare;
};

/** What is answered to who wants such a name. */
export const nameDouble = (): Refusal =>
  refuse('name_taken', 'another account has a name that looks the same; add something of your own');

/** Notes the looks of accounts that an older release has added, portion by portion; then there is nothing to do. */
export const createLooks = ({ db }: Pick<Services, 'db'>): (() => Promise<void>) => {
  let done = false;
  return async () => {
    if (done) return;
    done = (await db.read(({ account_looks }) => account_looks.get({ look: complete }))) !== undefined;
    let last: Account | undefined;
    while (!done) {
      const after = last;
      last = await transactAgain(db, async (tables) => {
        const page = await tables.accounts.find(
          {},
          { order: ['created_at'], limit: portion, ...(after === undefined ? {} : { after }) },
        );
        for (const account of page) await doubledWord(tables, account);
        if (page.length === portion) return page.at(-1);
        const marker = await tables.account_looks.get({ look: complete });
        if (marker === undefined) {
          await tables.account_looks.insert({ look: complete, spelling: '', account_id: '' });
        }
        return undefined;
      });
      done = last === undefined;
    }
  };
};
