import { type Refusal, refuse } from '../../shared/errors.ts';
import { looksOf } from '../../shared/look-alike.ts';
import { isErasing } from '../kit/erased.ts';
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

/** A look that nobody has. */
interface Vacant {
  readonly look: string;
  /** Somebody who is out has it still. */
  readonly known: boolean;
  readonly spelling: string;
}

/**
 * The looks of the word that nobody has; undefined where another account that is not out has one in another spelling. A namesake is
 * no double.
 */
const vacantLooks = async (
  tables: Tables,
  kind: Kind,
  { [kind]: text }: Named,
): Promise<readonly Vacant[] | undefined> => {
  const spelling = hashOf(text);
  const vacant: Vacant[] = [];
  for (const look of looksFor(kind, text)) {
    const row = await tables.account_looks.lock({ look });
    const holder = row && (await tables.accounts.get({ id: row.account_id }));
    const out = holder === undefined || holder.state === 'rejected';
    if (row !== undefined && !out && row.spelling !== spelling) return undefined;
    if (out) vacant.push({ look, known: row !== undefined, spelling });
  }
  return vacant;
};

/**
 * Which of the account's words differs from another account's in nothing but case or script; undefined when none does. With
 * `take`, in the transaction that adds the account, they are its own from now on.
 */
export const doubledWord = async (tables: Tables, account: Named, take = true): Promise<Kind | undefined> => {
  const name = await vacantLooks(tables, 'name', account);
  if (name === undefined) return 'name';
  const email = await vacantLooks(tables, 'email', account);
  if (email === undefined) return 'email';
  // Who is no account takes nothing, neither the one word nor the other.
  for (const { look, known, spelling } of take ? [...name, ...email] : []) {
    const mine = { spelling, account_id: account.id };
    if (known) await tables.account_looks.update({ look }, mine);
    else await tables.account_looks.insert({ look, ...mine });
  }
  return undefined;
};

/** Every look of the account's words, with the spelling that is noted with it. */
export const looksOfAccount = (account: Named): ReadonlyMap<string, string> =>
  new Map(
    (['name', 'email'] as const).flatMap((kind) =>
      looksFor(kind, account[kind]).map((look) => [look, hashOf(account[kind])] as const),
    ),
  );

/** The looks that some account has which is not out, with the rows that say so; an account that cannot be read counts. */
const lookHolders = async (
  { account_looks, accounts }: Pick<ReadTables, 'account_looks' | 'accounts'>,
  looks: readonly string[],
) => {
  const rows = looks.length === 0 ? [] : await account_looks.find({ look: { in: [...new Set(looks)] } });
  const ids = [...new Set(rows.map(({ account_id }) => account_id))];
  const found = ids.length === 0 ? [] : await accounts.find({ id: { in: ids } });
  const states = new Map(found.map(({ id, state }) => [id, state]));
  const out = new Set(found.flatMap(({ id, state }) => (state === 'rejected' ? [id] : [])));
  for (const id of ids) {
    if (!states.has(id) && (await accounts.count({ id })) === 0) out.add(id);
  }
  return {
    known: new Set(rows.map(({ look }) => look)),
    held: new Map(rows.filter(({ account_id }) => !out.has(account_id)).map((row) => [row.look, row])),
  };
};

/** Those accounts that are not out; none before `createLooks` has been through once: it notes their looks itself. */
const lookedAt = async (
  { account_looks }: Pick<ReadTables, 'account_looks'>,
  accounts: readonly Account[],
) =>
  (await account_looks.get({ look: complete })) === undefined
    ? []
    : accounts.filter(({ state }) => state !== 'rejected');

/**
 * Of the accounts that are not out those of whose looks one is nobody's, or of an account that is out, so that somebody could pass
 * for them. With `taking`, the tables of a transaction, they get it.
 */
export const lookless = async (
  tables: Pick<ReadTables, 'account_looks' | 'accounts'>,
  accounts: readonly Account[],
  taking?: Pick<Tables, 'account_looks'>,
): Promise<readonly Account[]> => {
  const own = (await lookedAt(tables, accounts)).map((account) => ({
    account,
    looks: looksOfAccount(account),
  }));
  const { known, held } = await lookHolders(
    tables,
    own.flatMap(({ looks }) => [...looks.keys()]),
  );
  const bare = own.filter(({ looks }) => [...looks.keys()].some((look) => !held.has(look)));
  for (const { account, looks } of taking === undefined ? [] : bare) {
    for (const [look, spelling] of looks) {
      if (held.has(look)) continue;
      const mine = { spelling, account_id: account.id };
      if (known.has(look)) await taking?.account_looks.update({ look }, mine);
      else await taking?.account_looks.insert({ look, ...mine });
    }
  }
  return bare.map(({ account }) => account);
};

/** Of the accounts that are not out those that look like another one, in another spelling, and which that is. */
export const lookTwins = async (
  tables: Pick<ReadTables, 'account_looks' | 'accounts'>,
  accounts: readonly Account[],
): Promise<readonly { readonly account: Account; readonly of: string }[]> => {
  const own = (await lookedAt(tables, accounts)).map((account) => ({
    account,
    looks: looksOfAccount(account),
  }));
  const { held } = await lookHolders(
    tables,
    own.flatMap(({ looks }) => [...looks.keys()]),
  );
  return own.flatMap(({ account, looks }) => {
    const twin = [...looks].flatMap(([look, spelling]) => {
      const row = held.get(look);
      return row === undefined || row.account_id === account.id || row.spelling === spelling ? [] : [row];
    })[0];
    return twin === undefined ? [] : [{ account, of: twin.account_id }];
  });
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
        for (const account of page) if (!isErasing(account)) await doubledWord(tables, account);
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
