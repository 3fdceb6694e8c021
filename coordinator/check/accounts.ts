import { isRefusal } from '../../shared/errors.ts';
import { lookless, looksOfAccount, lookTwins } from '../accounts/looks.ts';
import { normaliseEmail } from '../accounts/rules.ts';
import { by_repair, type Check, rule, whereSql } from './check.ts';

const lookMissing = rule('accounts', {
  name: 'look_missing',
  by_hand: () => 'start a coordinator: it notes how accounts look',
  async wrong(tables, rows) {
    const bare = await lookless(tables, rows);
    return bare.map((row) => ({ row, text: 'another account may take a name that looks like its own' }));
  },
  async mend(_, tables, row) {
    await lookless(tables, [row], tables);
  },
});

const lookWrong = rule('account_looks', {
  name: 'look_wrong',
  by_hand: () => by_repair,
  async wrong({ accounts }, rows) {
    const owned = rows.filter(({ account_id }) => account_id !== '');
    const ids = { in: [...new Set(owned.map(({ account_id }) => account_id))] };
    const found = ids.in.length === 0 ? [] : await accounts.find({ id: ids });
    const looks = new Map(found.map((account) => [account.id, looksOfAccount(account)]));
    return owned.flatMap((row) => {
      const own = looks.get(row.account_id);
      return own === undefined || own.get(row.look) === row.spelling
        ? []
        : [{ row, text: `is no look of ${row.account_id}, or of another spelling` }];
    });
  },
  // Whose look it is then is noted with the account.
  async mend(_, { account_looks }, { look }) {
    await account_looks.remove({ look });
  },
});

const doubles = rule('accounts', {
  name: 'account_double',
  by_hand: ({ id }) =>
    `ask who they are; the wrong one is rejected by PATCH /api/v1/accounts/${id}, as an administrator`,
  async wrong(tables, rows) {
    const twins = await lookTwins(tables, rows);
    return twins.map(({ account, of }) => ({
      row: account,
      text: `has a name or an address that looks like that of ${of}`,
    }));
  },
});

const email = rule('accounts', {
  name: 'account_email',
  by_hand: ({ id }) =>
    `nobody can log in with it: reject the account by PATCH /api/v1/accounts/${id}, or give it another address: UPDATE accounts SET email = ... ${whereSql({ id })}`,
  wrong: async (_, rows) =>
    rows
      .filter(({ email, state }) => state !== 'rejected' && normaliseEmail(email) !== email)
      .map((row) => ({ row, text: 'has an address in a form in which no login finds it' })),
  async mend(_, { accounts }, row) {
    const normal = normaliseEmail(row.email);
    if (!isRefusal(normal)) await accounts.update({ id: row.id }, { email: normal });
  },
});

/** What holds of accounts among each other. The address first: its looks follow from it. */
export const accountChecks: readonly Check[] = [email, lookWrong, lookMissing, doubles];
