import { type Login, startLogin } from '../accounts/logins.ts';
import { createPasswords } from '../accounts/passwords.ts';
import { createAccessTokens } from '../accounts/tokens.ts';
import type { Account } from '../store/tables.ts';
import { type appUnderTest, cheap } from './app.ts';
import { account } from './rows.ts';

/** The password of every account that `addAccounts` adds. */
export const password = 'correct horse';

export type UnderTest = Awaited<ReturnType<typeof appUnderTest>>;

/** Adds an administrator (1), an operator (2), a user (3), a pending (4) and a rejected (5) account. */
export const addAccounts = async ({
  world,
}: {
  readonly world: Pick<UnderTest['world'], 'db'>;
}): Promise<void> => {
  const password_hash = String(await createPasswords(cheap).hash(password));
  const rows = [
    account(1, { role: 'admin', password_hash }),
    account(2, { role: 'operator', password_hash }),
    account(3, { password_hash }),
    account(4, { state: 'pending', password_hash }),
    account(5, { state: 'rejected', reason: 'no', password_hash }),
  ];
  await world.db.transact(({ accounts }) => accounts.insert(...rows));
};

/** A login without a password, as a browser and as a program have it. */
export const loginAs = async (
  { world }: UnderTest,
  id: string,
): Promise<Login & { readonly access_token: string; readonly account: Account }> => {
  const login = await world.db.transact(async (tables) => {
    const row = await tables.accounts.lock({ id });
    if (row === undefined) throw new Error(`no account ${id}`);
    return startLogin(world, tables, row);
  });
  const { access_token } = await createAccessTokens(world).issue(login.account);
  return { ...login, access_token };
};
