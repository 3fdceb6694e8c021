import { isRefusal, type Refusal, refuse, refuseFor } from '../../shared/errors.ts';
import { audit } from '../kit/audit.ts';
import { isErasing } from '../kit/erased.ts';
import type { Services } from '../kit/services.ts';
import { type Budget, hitsLeft, takeHits, transactAgain, untilHit } from '../kit/throttle.ts';
import { Taken } from '../store/database.ts';
import type { Account, ReadTables, Tables } from '../store/tables.ts';
import { endLogins, updateAccount } from './logins.ts';
import { doubledWord, nameDouble } from './looks.ts';
import type { Passwords } from './passwords.ts';
import {
  changeStanding,
  checkPassword,
  type Decision,
  decide,
  normaliseEmail,
  type StandingChange,
} from './rules.ts';

/** Registrations from one network in half an hour; then it is told to wait. */
const registrations = { window_ms: 30 * 60_000, most: 10 } as const;
/** Accounts that wait for a decision; a further registration is refused as too_busy. */
const pending_most = 1_000;

export interface Registration {
  readonly email: string;
  readonly name: string;
  readonly password: string;
}

const newAccount = (
  { ids, clock }: Pick<Services, 'ids' | 'clock'>,
  fields: Pick<Account, 'email' | 'name' | 'password_hash' | 'role' | 'state'>,
): Account => ({
  id: ids.id(),
  ...fields,
  reason: null,
  epoch: 0,
  quota_sessions: null,
  quota_minutes: null,
  created_at: clock.now(),
  decided_at: fields.state === 'pending' ? null : clock.now(),
  decided_by: null,
  version: 1,
});

/**
 * Asks for an account. The answer is the same, and as late, when there is one with this e-mail already, or with one that
 * looks like it: `undefined`. Else malformed, password_weak, name_taken, too_busy or too_many_messages.
 */
export const register = async (
  services: Services,
  passwords: Passwords,
  { name, password, network, ...wanted }: Registration & { readonly network: string },
): Promise<Refusal | undefined> => {
  const { db, clock } = services;
  const email = normaliseEmail(wanted.email);
  if (isRefusal(email)) return email;
  const weak = checkPassword(password, email);
  if (weak !== undefined) return weak;
  const budget: Budget = { name: `register:network:${network}`, ...registrations };
  const tooMany = async (tables: Pick<ReadTables, 'counters'>): Promise<Refusal> =>
    refuseFor('too_many_messages', await untilHit(tables, budget, clock.now()), 'registrations from here');
  if (!(await hitsLeft(services, [budget]))) return db.read(tooMany);
  const password_hash = await passwords.hash(password);
  if (isRefusal(password_hash)) return password_hash;
  const row = newAccount(services, { email, name, password_hash, role: 'user', state: 'pending' });
  const asked = await transactAgain(db, async (tables) => {
    if ((await tables.accounts.count({ state: 'pending' })) >= pending_most) return refuse('too_busy');
    // Counted here, so that both ways end in a commit of a change and take as long.
    if (!(await takeHits(tables, [budget], clock.now()))) return tooMany(tables);
    const [known] = await tables.accounts.find({ email });
    // The name first: what is said of it must not depend on the address.
    const double = await doubledWord(tables, row, known === undefined);
    if (double === undefined && known === undefined) await tables.accounts.insert(row);
    // No refusal yet, so that the attempt counts.
    return { double };
  });
  if ('refused' in asked) return asked;
  return asked.double === 'name' ? nameDouble() : undefined;
};

/** Adds an approved administrator, for the command line: malformed, password_weak, too_busy or name_taken. */
export const createAdmin = async (
  services: Pick<Services, 'db' | 'clock' | 'ids'>,
  passwords: Passwords,
  { name, password, ...wanted }: Registration,
): Promise<Account | Refusal> => {
  const email = normaliseEmail(wanted.email);
  if (isRefusal(email)) return email;
  const weak = checkPassword(password, email);
  if (weak !== undefined) return weak;
  const password_hash = await passwords.hash(password);
  if (isRefusal(password_hash)) return password_hash;
  const row = newAccount(services, { email, name, password_hash, role: 'admin', state: 'approved' });
  const known = refuse(
    'name_taken',
    `there is an account with the e-mail ${email}, or one that looks like it`,
  );
  try {
    return await services.db.transact(async (tables) => {
      const double = await doubledWord(tables, row);
      if (double !== undefined) return double === 'name' ? nameDouble() : known;
      await tables.accounts.insert(row);
      await audit(services, tables, 'command-line', 'account.admin_created', row.id);
      return row;
    });
  } catch (error) {
    if (error instanceof Taken) return known;
    throw error;
  }
};

export interface AccountPage {
  readonly state?: Account['state'] | undefined;
  readonly limit: number;
  /** The id of the last account of the page before. */
  readonly after?: string | undefined;
}

/** Accounts in the order of their registration; malformed when `after` is no account. */
export const listAccounts = (
  { db }: Pick<Services, 'db'>,
  { state, limit, after }: AccountPage,
): Promise<{ accounts: Account[]; next: string | null } | Refusal> =>
  db.read(async ({ accounts }) => {
    const last = after === undefined ? undefined : await accounts.get({ id: after });
    if (after !== undefined && last === undefined) return refuse('malformed', 'after: no such account');
    const found = await accounts.find(state === undefined ? {} : { state }, {
      order: ['created_at'],
      limit: limit + 1,
      ...(last === undefined ? {} : { after: last }),
    });
    const page = found.slice(0, limit);
    return { accounts: page, next: found.length > limit ? (page.at(-1)?.id ?? null) : null };
  });

export const getAccount = async ({ db }: Pick<Services, 'db'>, id: string): Promise<Account | Refusal> =>
  (await db.read(({ accounts }) => accounts.get({ id }))) ?? refuse('account_unknown');

/** Lets a new account in or not; account_unknown, account_decided, or malformed for a rejection without a reason. */
export const decideAccount = (
  services: Services,
  admin: Account,
  id: string,
  decision: Decision,
): Promise<Account | Refusal> => {
  const { db, clock } = services;
  return db.transact(async (tables) => {
    const account = await tables.accounts.lock({ id });
    if (account === undefined || isErasing(account)) return refuse('account_unknown');
    const decided = decide(account, decision);
    if ('refused' in decided) return decided;
    await audit(services, tables, admin.id, `account.${decided.state}`, id, { reason: decided.reason });
    return updateAccount(tables, account, { ...decided, decided_at: clock.now(), decided_by: admin.id });
  });
};

/** Locks the account and every administrator, in the order of keys: of two who demote each other one comes second. */
export const lockWithAdmins = async ({ accounts }: Pick<Tables, 'accounts'>, id: string) => {
  const admins = await accounts.find({ role: 'admin' });
  const ids = [...new Set([...admins.map((one) => one.id), id])].toSorted((a, b) => (a < b ? -1 : 1));
  const held: Account[] = [];
  for (const one of ids) {
    const row = await accounts.lock({ id: one });
    if (row !== undefined) held.push(row);
  }
  const others = held.filter((one) => one.id !== id && one.role === 'admin' && one.state === 'approved');
  return { account: held.find((one) => one.id === id), others: others.length };
};

export interface AccountPatch extends StandingChange {
  readonly quota_sessions?: number | null | undefined;
  readonly quota_minutes?: number | null | undefined;
}

/**
 * Changes role, state or quotas of the account as it was read with this version: account_unknown, version_conflict,
 * last_admin or malformed. Another role or state voids the tokens that the account has.
 */
export const changeAccount = (
  services: Services,
  admin: Account,
  { id, version }: { readonly id: string; readonly version: number },
  patch: AccountPatch,
): Promise<Account | Refusal> => {
  const { db } = services;
  return db.transact(async (tables) => {
    const { account, others } = await lockWithAdmins(tables, id);
    if (account === undefined || isErasing(account)) return refuse('account_unknown');
    if (account.version !== version) return refuse('version_conflict');
    const standing = changeStanding(account, patch, others);
    if ('refused' in standing) return standing;
    const { revoked, ...after } = standing;
    const { quota_sessions = account.quota_sessions, quota_minutes = account.quota_minutes } = patch;
    const changes = { ...after, quota_sessions, quota_minutes };
    await audit(services, tables, admin.id, 'account.changed', id, changes);
    return revoked ? endLogins(tables, account, changes) : updateAccount(tables, account, changes);
  });
};
