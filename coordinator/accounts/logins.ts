import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { hashOf } from '../kit/secrets.ts';
import type { Services } from '../kit/services.ts';
import { transactAgain } from '../kit/throttle.ts';
import type { Account, Tables } from '../store/tables.ts';
import { type Attempt, beginAttempt, forgetAttempt, returnTurn, type Turn } from './attempts.ts';
import { deviceOf } from './devices.ts';
import type { Passwords } from './passwords.ts';
import { normaliseEmail } from './rules.ts';

/** What a successful login is worth. The token is shown once; its hash is kept. */
export interface Login {
  readonly account: Account;
  readonly refresh_token: string;
  /** When the refresh token ends, epoch ms. */
  readonly refresh_expires: number;
}

const day = 86_400_000;
/** A login ends when it has not been refreshed for so long. */
const refresh_ms = 30 * day;
/** Used tokens are remembered so long, so that their second use shows that one was stolen. */
const used_kept_ms = day;
/** A token may come twice within this time: two tabs, or an answer that was lost. Both get the same next token. */
const repeat_ms = 5_000;
/** Logins of one account at a time; a further one ends the one that was refreshed longest ago. */
const logins_per_account = 20;

/** The account as it is now, while what was given to it at that epoch is good: approved, and not logged out everywhere since. */
export const accountNow = async (
  { db }: Pick<Services, 'db'>,
  { id, epoch }: Pick<Account, 'id' | 'epoch'>,
): Promise<Account | undefined> => {
  const account = await db.read(({ accounts }) => accounts.get({ id }));
  return account?.state === 'approved' && account.epoch === epoch ? account : undefined;
};

/** Adds a login of the account. For a transaction that holds the account's lock. */
export const startLogin = async (
  { ids, clock }: Pick<Services, 'ids' | 'clock'>,
  { refresh_tokens }: Pick<Tables, 'refresh_tokens'>,
  account: Account,
): Promise<Login> => {
  const held = await refresh_tokens.find({ account_id: account.id }, { order: ['expires_at'] });
  const open = held.filter(({ used_at }) => used_at === null);
  for (const { family } of open.slice(0, Math.max(0, open.length + 1 - logins_per_account))) {
    await refresh_tokens.remove({ family });
  }
  const refresh_token = ids.secret();
  const refresh_expires = clock.now() + refresh_ms;
  await refresh_tokens.insert({
    token_hash: hashOf(refresh_token),
    account_id: account.id,
    family: ids.id(),
    expires_at: refresh_expires,
    used_at: null,
  });
  return { account, refresh_token, refresh_expires };
};

/** Changes the account as this transaction has it, locked, and says what it is then. */
export const updateAccount = async (
  { accounts }: Pick<Tables, 'accounts'>,
  account: Account,
  changes: Partial<Omit<Account, 'id' | 'version'>>,
): Promise<Account> => {
  await accounts.update({ id: account.id }, changes);
  return { ...account, ...changes, version: account.version + 1 };
};

/** The same, and voids every token of the account. */
export const endLogins = async (
  tables: Pick<Tables, 'accounts' | 'refresh_tokens'>,
  account: Account,
  changes: Partial<Omit<Account, 'id' | 'version' | 'epoch'>> = {},
): Promise<Account> => {
  await tables.refresh_tokens.remove({ account_id: account.id });
  return updateAccount(tables, account, { ...changes, epoch: account.epoch + 1 });
};

/**
 * Checks a password as a login does, in the same time whatever is wrong: login_throttled, too_busy, login_failed, or the turn
 * that it took when it is right. Each check is paid for first, so that attempts at the same time share the budget too.
 */
export const checkLogin = async (
  services: Pick<Services, 'db' | 'clock'>,
  passwords: Passwords,
  account: Account | undefined,
  password: string,
  attempt: Attempt,
): Promise<Turn | Refusal> => {
  const turn = await beginAttempt(services, attempt);
  if (isRefusal(turn)) return turn;
  const right = await passwords.verify(password, account?.password_hash);
  if (isRefusal(right)) {
    await services.db.transact((tables) => returnTurn(tables, turn));
    return right;
  }
  return right && account?.state === 'approved' ? turn : refuse('login_failed');
};

export interface Credentials {
  readonly email: string;
  readonly password: string;
  /** Where the attempt comes from: see `networkOf`. */
  readonly network: string;
  /** What the device keeps of an earlier login: see `rememberDevice`. */
  readonly device?: string | undefined;
  /** Whether the network may make one more attempt; not asked for a device that is known to the account. */
  readonly admit?: () => Promise<Refusal | undefined>;
}

/**
 * A login by password: login_failed, login_throttled, too_busy or what `admit` says. Others who guess at the account make
 * strangers wait, but shut nobody out, and a device on which its owner has logged in before does not notice them.
 */
export const login = async (
  services: Services,
  passwords: Passwords,
  { email, password, network, device, admit }: Credentials,
): Promise<Login | Refusal> => {
  const { db } = services;
  // Who shows no device is turned away without a look at the account.
  const unknown = device === undefined ? await admit?.() : undefined;
  if (unknown !== undefined) return unknown;
  const normal = normaliseEmail(email);
  const known = isRefusal(normal) ? email : normal;
  const [found] = await db.read(({ accounts }) => accounts.find({ email: known }));
  const own = deviceOf(device, found);
  const barred = device !== undefined && own === undefined ? await admit?.() : undefined;
  if (barred !== undefined) return barred;
  const attempt = { email: known, by: own === undefined ? { network } : { device: own } };
  const turn = await checkLogin(services, passwords, found, password, attempt);
  if (isRefusal(turn) || found === undefined) return isRefusal(turn) ? turn : refuse('login_failed');
  return transactAgain(db, async (tables) => {
    const account = await tables.accounts.lock({ id: found.id });
    const same = account?.password_hash === found.password_hash && account.state === 'approved';
    if (account === undefined || !same) return refuse('login_failed');
    await forgetAttempt(tables, turn);
    return startLogin(services, tables, account);
  });
};

/**
 * The next token for one that was not used before; unauthorized. A token's second use means that someone else has it:
 * it ends all that came from that login.
 */
export const refresh = async ({ db, clock, log }: Services, token: string): Promise<Login | Refusal> => {
  const token_hash = hashOf(token);
  const outcome = await db.transact(async ({ accounts, refresh_tokens }) => {
    const now = clock.now();
    const known = await refresh_tokens.get({ token_hash });
    const account = known && (await accounts.lock({ id: known.account_id }));
    const held = account && (await refresh_tokens.lock({ token_hash }));
    if (held === undefined || account?.state !== 'approved' || held.expires_at <= now) {
      return refuse('unauthorized');
    }
    // Made of the token and of what never leaves the database: only who has both can say the next one, again and again.
    const refresh_token = hashOf(`${held.family}.${token}`);
    const next = { token_hash: hashOf(refresh_token) };
    if (held.used_at === null) {
      const refresh_expires = now + refresh_ms;
      const { account_id, family } = held;
      await refresh_tokens.update(
        { token_hash },
        { used_at: now, expires_at: Math.min(held.expires_at, now + used_kept_ms) },
      );
      await refresh_tokens.insert({
        ...next,
        account_id,
        family,
        expires_at: refresh_expires,
        used_at: null,
      });
      return { account, refresh_token, refresh_expires };
    }
    const successor = await refresh_tokens.get(next);
    if (now - held.used_at <= repeat_ms && successor?.used_at === null) {
      return { account, refresh_token, refresh_expires: successor.expires_at };
    }
    await refresh_tokens.remove({ family: held.family });
    return { reused: account.id };
  });
  if (!('reused' in outcome)) return outcome;
  log.warn({ account: outcome.reused }, 'a refresh token was used twice: its login has ended');
  return refuse('unauthorized');
};

/** Ends the login that the token comes from. A token that is not known ends nothing. */
export const logout = async ({ db }: Pick<Services, 'db'>, token: string): Promise<void> => {
  const token_hash = hashOf(token);
  await db.transact(async ({ accounts, refresh_tokens }) => {
    const known = await refresh_tokens.get({ token_hash });
    if (known === undefined) return;
    await accounts.lock({ id: known.account_id });
    await refresh_tokens.remove({ family: known.family });
  });
};

/** Ends every login of the account, and voids the access tokens that it has. */
export const logoutEverywhere = async ({ db }: Pick<Services, 'db'>, account_id: string): Promise<void> => {
  await db.transact(async (tables) => {
    const account = await tables.accounts.lock({ id: account_id });
    if (account !== undefined) await endLogins(tables, account);
  });
};
