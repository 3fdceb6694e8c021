import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { audit } from '../kit/audit.ts';
import { hashOf } from '../kit/secrets.ts';
import type { Services } from '../kit/services.ts';
import { transactAgain } from '../kit/throttle.ts';
import type { Account, ReadTables } from '../store/tables.ts';
import { forgetAttempt } from './attempts.ts';
import { checkLogin, endLogins, type Login, startLogin } from './logins.ts';
import type { Passwords } from './passwords.ts';
import { checkPassword, normaliseEmail } from './rules.ts';

type Parts = Pick<Services, 'db' | 'clock' | 'ids'>;

/** How long an administrator's link opens a new password. */
const reset_link_ms = 24 * 3_600_000;

export interface ResetLink {
  /** The secret of the link, shown once. */
  readonly token: string;
  readonly expires: number;
}

/** A link by which the account's owner sets a new password; account_unknown, or forbidden for one that is not approved. */
export const makeResetLink = (
  parts: Parts,
  actor: string,
  account_id: string,
): Promise<ResetLink | Refusal> => {
  const { db, clock, ids } = parts;
  const token = ids.secret();
  return db.transact(async (tables) => {
    const account = await tables.accounts.lock({ id: account_id });
    if (account === undefined) return refuse('account_unknown');
    if (account.state !== 'approved') return refuse('forbidden', 'the account is not approved');
    const expires = clock.now() + reset_link_ms;
    // One at a time: a link that went astray is void as soon as there is a new one.
    await tables.reset_links.remove({ account_id });
    await tables.reset_links.insert({
      token_hash: hashOf(token),
      account_id,
      made_by: actor,
      expires_at: expires,
      used_at: null,
    });
    await audit(parts, tables, actor, 'account.reset_link', account_id);
    return { token, expires };
  });
};

/** The account with this e-mail address: malformed or account_unknown. */
export const accountBy = async (
  { accounts }: Pick<ReadTables, 'accounts'>,
  email: string,
): Promise<Account | Refusal> => {
  const known = normaliseEmail(email);
  if (isRefusal(known)) return known;
  const [account] = await accounts.find({ email: known });
  return account ?? refuse('account_unknown', known);
};

/** `checkLogin` for whoever is logged in: no stranger, so that nobody else uses this budget up. */
const checkOwner = (
  services: Pick<Services, 'db' | 'clock'>,
  passwords: Passwords,
  owner: Account,
  password: string,
) => checkLogin(services, passwords, owner, password, { email: owner.email, by: { device: 'logged in' } });

/** Whether the owner, who is logged in, knows the password: undefined, or login_failed, login_throttled or too_busy. */
export const confirmPassword = async (
  services: Pick<Services, 'db' | 'clock'>,
  passwords: Passwords,
  owner: Account,
  password: string,
): Promise<Refusal | undefined> => {
  const turn = await checkOwner(services, passwords, owner, password);
  if (isRefusal(turn)) return turn;
  await services.db.transact((tables) => forgetAttempt(tables, turn));
  return undefined;
};

/** `makeResetLink` for whoever sits at the coordinator's machine. Refuses malformed, too. */
export const makeResetLinkFor = async (parts: Parts, email: string): Promise<ResetLink | Refusal> => {
  const account = await parts.db.read((tables) => accountBy(tables, email));
  return isRefusal(account) ? account : makeResetLink(parts, 'command-line', account.id);
};

/**
 * Sets the password of the account with this e-mail, for whoever sits at the coordinator's machine: malformed, password_weak,
 * too_busy, account_unknown, or forbidden for one that is not approved. Every login of the account ends.
 */
export const setPassword = async (
  parts: Parts,
  passwords: Passwords,
  { email, password }: { readonly email: string; readonly password: string },
): Promise<Account | Refusal> => {
  const found = await parts.db.read((tables) => accountBy(tables, email));
  if (isRefusal(found)) return found;
  const weak = checkPassword(password, found.email);
  if (weak !== undefined) return weak;
  const password_hash = await passwords.hash(password);
  if (isRefusal(password_hash)) return password_hash;
  return parts.db.transact(async (tables) => {
    const account = await tables.accounts.lock({ id: found.id });
    if (account === undefined) return refuse('account_unknown');
    if (account.state !== 'approved') return refuse('forbidden', 'the account is not approved');
    await audit(parts, tables, 'command-line', 'account.password_set', account.id);
    return endLogins(tables, account, { password_hash });
  });
};

/**
 * Sets the password by a link, once, and logs in: reset_link_wrong, password_weak or too_busy. Every other login of the
 * account ends. The throttle of logins has no part in it: nobody guesses the secret of a link.
 */
export const useResetLink = async (
  services: Services,
  passwords: Passwords,
  { token, password }: { readonly token: string; readonly password: string },
): Promise<Login | Refusal> => {
  const { db, clock } = services;
  const token_hash = hashOf(token);
  const owner = await db.read(async ({ accounts, reset_links }) => {
    const link = await reset_links.get({ token_hash });
    return link?.used_at === null ? accounts.get({ id: link.account_id }) : undefined;
  });
  if (owner === undefined) return refuse('reset_link_wrong');
  const weak = checkPassword(password, owner.email);
  if (weak !== undefined) return weak;
  const password_hash = await passwords.hash(password);
  if (isRefusal(password_hash)) return password_hash;
  return db.transact(async (tables) => {
    const now = clock.now();
    const account = await tables.accounts.lock({ id: owner.id });
    const link = await tables.reset_links.lock({ token_hash });
    const open = link?.used_at === null && link.expires_at > now;
    if (!open || account?.state !== 'approved') return refuse('reset_link_wrong');
    await tables.reset_links.update({ token_hash }, { used_at: now });
    const changed = await endLogins(tables, account, { password_hash });
    return startLogin(services, tables, changed);
  });
};

/**
 * The owner's own change of the password, which they have to know: login_failed, login_throttled, password_weak or
 * too_busy. Every other login of the account ends; the answer is a new one.
 */
export const changePassword = async (
  services: Services,
  passwords: Passwords,
  owner: Account,
  change: { readonly current: string; readonly password: string },
): Promise<Login | Refusal> => {
  const { db } = services;
  const weak = checkPassword(change.password, owner.email);
  if (weak !== undefined) return weak;
  const turn = await checkOwner(services, passwords, owner, change.current);
  if (isRefusal(turn)) return turn;
  const password_hash = await passwords.hash(change.password);
  // The old password was right, whatever becomes of the new one.
  await transactAgain(db, (tables) => forgetAttempt(tables, turn));
  if (isRefusal(password_hash)) return password_hash;
  return db.transact(async (tables) => {
    const account = await tables.accounts.lock({ id: owner.id });
    const same = account?.password_hash === owner.password_hash && account.epoch === owner.epoch;
    if (account === undefined || !same) return refuse('unauthorized');
    const changed = await endLogins(tables, account, { password_hash });
    return startLogin(services, tables, changed);
  });
};
