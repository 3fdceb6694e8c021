import { afterAll, beforeAll, beforeEach } from 'bun:test';
import { isRefusal, type Refusal } from '../../shared/errors.ts';
import { systemIds } from '../../shared/ids.ts';
import { type FakeClock, fakeClock } from '../../shared/testing/clock.ts';
import { type Login, login } from '../accounts/logins.ts';
import { createPasswords, type Passwords } from '../accounts/passwords.ts';
import type { Services } from '../kit/services.ts';
import type { Database } from '../store/database.ts';
import type { Account } from '../store/tables.ts';
import { cheap } from './app.ts';
import { memoryBus } from './bus.ts';
import { recordedLog } from './log.ts';
import { account } from './rows.ts';
import { memoryStore } from './store.ts';

/** One database as two coordinators have it. */
export interface TwoCoordinators extends AsyncDisposable {
  readonly databases: readonly [Database, Database];
}

/** After so long a used-up budget of half an hour is whole again. */
export const throttled_ms = 35 * 60_000;
export const password = 'correct horse';
export const email = 'anna@example.com';
export const network = '192.0.2.1';

/** What each attempt came to, in the order of the words. */
export const refusals = (values: readonly unknown[]): string[] =>
  values.map((value) => (isRefusal(value) ? value.refused : 'fine')).toSorted();

/** The value, which is no refusal. */
export const fine = <T extends object>(value: T | Refusal): T => {
  if (isRefusal(value)) throw new Error(value.refused);
  return value;
};

const clear = (database: Database) =>
  database.transact((tables) =>
    Promise.all([
      tables.accounts.remove({ created_at: { from: 0 } }),
      tables.account_looks.remove({ look: { from: '' } }),
      tables.refresh_tokens.remove({ expires_at: { from: 0 } }),
      tables.reset_links.remove({ expires_at: { from: 0 } }),
      tables.counters.remove({ expires_at: { from: 0 } }),
      tables.audit.remove({ at: { from: 0 } }),
    ]),
  );

export interface AccountsRig {
  readonly clock: FakeClock;
  readonly both: readonly [Services, Services];
  /** The first of both. */
  readonly one: Services;
  readonly passwords: Passwords;
  readonly admin: Account;
  readonly anna: Account;
  /** Runs the attempts on both coordinators in turn, all at once. */
  race<T>(times: number, run: (services: Services, at: number) => Promise<T>): Promise<T[]>;
  /** Anna's login, or another. */
  enter(services?: Services, given?: object): Promise<Login | Refusal>;
}

/** Two coordinators for the tests of a suite; each test has them anew, with an administrator and Anna. */
export const useAccounts = (open: () => Promise<TwoCoordinators>): (() => AccountsRig) => {
  let opened: TwoCoordinators;
  let rig: AccountsRig;
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened[Symbol.asyncDispose]());
  beforeEach(async () => {
    const clock = fakeClock();
    const rest = {
      clock,
      bus: memoryBus(clock),
      ids: systemIds,
      log: recordedLog().log,
      store: memoryStore([]),
    };
    const [first, second] = opened.databases;
    const both = [
      { ...rest, db: first },
      { ...rest, db: second },
    ] as const;
    const passwords = createPasswords(cheap);
    const password_hash = String(await passwords.hash(password));
    const admin = account(1, { role: 'admin', password_hash });
    const anna = account(2, { email, password_hash });
    await clear(first);
    await first.transact(({ accounts }) => accounts.insert(admin, anna));
    rig = {
      clock,
      both,
      one: both[0],
      passwords,
      admin,
      anna,
      race: (times, run) =>
        Promise.all(Array.from({ length: times }, (_, at) => run(both[at % 2 === 0 ? 0 : 1], at))),
      enter: (services = both[0], given = {}) =>
        login(services, passwords, { email, password, network, ...given }),
    };
  });
  return () => rig;
};
