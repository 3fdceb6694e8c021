import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { isRefusal, type Refusal } from '../../shared/errors.ts';
import { systemIds } from '../../shared/ids.ts';
import { type FakeClock, fakeClock } from '../../shared/testing/clock.ts';
import {
  changeAccount,
  createAdmin,
  decideAccount,
  getAccount,
  listAccounts,
  register,
} from '../broker/accounts.ts';
import { removeExpired } from '../broker/expiry.ts';
import { type Login, login, logout, logoutEverywhere, refresh } from '../broker/logins.ts';
import { createPasswords, type Passwords } from '../broker/passwords.ts';
import { changePassword, makeResetLink, useResetLink } from '../broker/resets.ts';
import type { Services } from '../broker/services.ts';
import { countHits, hitsLeft, resetHits } from '../broker/throttle.ts';
import { hashOf } from '../secrets.ts';
import type { Database } from '../store/database.ts';
import type { Account } from '../store/tables.ts';
import { cheap } from './app.ts';
import { recordedLog } from './log.ts';
import { account } from './rows.ts';
import { memoryStore } from './store.ts';

/** One database as two coordinators have it. */
export interface TwoCoordinators extends AsyncDisposable {
  readonly databases: readonly [Database, Database];
}

const half_hour = 30 * 60_000;
const password = 'correct horse';
const email = 'anna@example.com';
const network = '192.0.2.1';

const refusals = (values: readonly unknown[]): string[] =>
  values.map((value) => (isRefusal(value) ? value.refused : 'fine')).toSorted();

const fine = <T extends object>(value: T | Refusal): T => {
  if (isRefusal(value)) throw new Error(value.refused);
  return value;
};

const clear = (database: Database) =>
  database.transact((tables) =>
    Promise.all([
      tables.accounts.remove({ created_at: { from: 0 } }),
      tables.refresh_tokens.remove({ expires_at: { from: 0 } }),
      tables.reset_links.remove({ expires_at: { from: 0 } }),
      tables.counters.remove({ expires_at: { from: 0 } }),
      tables.audit.remove({ at: { from: 0 } }),
    ]),
  );

/** What accounts and logins have to do on every database, by two coordinators at once. */
export const testAccounts = (name: string, open: () => Promise<TwoCoordinators>): void => {
  describe(`accounts on ${name}`, () => {
    let opened: TwoCoordinators;
    let clock: FakeClock;
    let both: readonly [Services, Services];
    let one: Services;
    let passwords: Passwords;
    let admin: Account;
    let anna: Account;

    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened[Symbol.asyncDispose]());
    beforeEach(async () => {
      clock = fakeClock();
      const rest = { clock, ids: systemIds, log: recordedLog().log, store: memoryStore([]) };
      both = [
        { ...rest, db: opened.databases[0] },
        { ...rest, db: opened.databases[1] },
      ];
      one = both[0];
      passwords = createPasswords(cheap);
      await clear(one.db);
      const password_hash = String(await passwords.hash(password));
      admin = account(1, { role: 'admin', password_hash });
      anna = account(2, { email, password_hash });
      await one.db.transact(({ accounts }) => accounts.insert(admin, anna));
    });

    /** Runs the attempts on both coordinators in turn, all at once. */
    const race = <T>(times: number, run: (services: Services, at: number) => Promise<T>): Promise<T[]> =>
      Promise.all(Array.from({ length: times }, (_, at) => run(both[at % 2 === 0 ? 0 : 1], at)));

    const enter = (services = one, given: object = {}) =>
      login(services, passwords, { email, password, network, ...given });

    test(`register() on ${name} makes one account of many attempts at once, and answers all alike`, async () => {
      const wanted = { email: ' New@Example.com ', name: 'New', password };
      const answers = await race(8, (services, at) =>
        register(services, passwords, { ...wanted, network: `192.0.2.${at}` }),
      );
      expect(answers).toEqual(Array.from({ length: 8 }, () => undefined));
      const found = await one.db.read(({ accounts }) => accounts.find({ email: 'new@example.com' }));
      expect(found).toMatchObject([{ state: 'pending', role: 'user', name: 'New', epoch: 0 }]);
      const again = await register(one, passwords, { ...wanted, email, network });
      expect(again).toBeUndefined();
      expect(fine(await getAccount(one, anna.id))).toEqual(anna);
    });

    test(`register() on ${name} takes 10 from one network in half an hour, however they come`, async () => {
      const ask = (services: Services, at: number) =>
        register(services, passwords, { email: `n${at}@example.com`, name: 'N', password, network });
      const told = refusals(await race(16, ask));
      expect(told.filter((word) => word === 'fine')).toHaveLength(10);
      expect(told.at(-1)).toBe('too_many_messages');
      clock.advance(half_hour + half_hour / 6);
      expect(refusals([await ask(one, 20)])).toEqual(['fine']);
    });

    test(`register() on ${name} refuses a wrong address and a weak password before all else`, async () => {
      const ask = (changes: object) =>
        register(one, passwords, { email: 'b@example.com', name: 'B', password, network, ...changes });
      expect(refusals([await ask({ email: 'b' }), await ask({ password: 'short' })])).toEqual([
        'malformed',
        'password_weak',
      ]);
    });

    test(`createAdmin() on ${name} makes an approved administrator, once for each e-mail`, async () => {
      const wanted = { email: 'Root@example.com', name: 'Root', password };
      const made = await race(2, (services) => createAdmin(services, passwords, wanted));
      expect(refusals(made)).toEqual(['fine', 'name_taken']);
      expect(await enter(one, { email: 'root@example.com' })).toMatchObject({ account: { role: 'admin' } });
    });

    test(`decideAccount() on ${name} decides once, whoever comes first, and notes who it was`, async () => {
      await one.db.transact(({ accounts }) => accounts.insert(account(3, { state: 'pending' })));
      const decided = await race(6, (services, at) =>
        decideAccount(services, admin, 'account-3', {
          decision: at % 2 === 0 ? 'approve' : 'reject',
          reason: 'seen',
        }),
      );
      expect(refusals(decided).filter((word) => word === 'account_decided')).toHaveLength(5);
      const winner = decided.find((value) => !isRefusal(value)) ?? anna;
      expect(await getAccount(one, 'account-3')).toEqual(winner);
      const notes = await one.db.read(({ audit }) => audit.find({ subject: 'account-3' }));
      expect(notes).toMatchObject([{ actor: admin.id }]);
      expect(refusals([await decideAccount(one, admin, 'nobody', { decision: 'approve' })])).toEqual([
        'account_unknown',
      ]);
    });

    test(`changeAccount() on ${name} leaves one of two administrators who demote each other`, async () => {
      for (let round = 0; round < 5; round++) {
        const [first, second] = [account(10 + 2 * round), account(11 + 2 * round)].map((row) => ({
          ...row,
          role: 'admin' as const,
        }));
        if (first === undefined || second === undefined) throw new Error('two');
        await one.db.transact(async ({ accounts }) => {
          await accounts.remove({ role: 'admin' });
          await accounts.insert(first, second);
        });
        const done = await Promise.all([
          changeAccount(both[0], first, second, { role: 'user' }),
          changeAccount(both[1], second, first, { state: 'rejected', reason: 'no' }),
        ]);
        expect(refusals(done)).toEqual(['fine', 'last_admin']);
      }
    });

    test(`changeAccount() on ${name} changes what was read, and voids tokens when rights change`, async () => {
      const session = fine(await enter());
      const quota = await changeAccount(one, admin, anna, { quota_sessions: 3, quota_minutes: null });
      expect(quota).toMatchObject({ quota_sessions: 3, quota_minutes: null, epoch: 0, version: 2 });
      expect(refusals([await changeAccount(one, admin, anna, { role: 'operator' })])).toEqual([
        'version_conflict',
      ]);
      const raised = await changeAccount(one, admin, fine(quota), { role: 'operator' });
      expect(raised).toMatchObject({ role: 'operator', quota_sessions: 3, epoch: 1, version: 3 });
      expect(fine(await getAccount(one, anna.id))).toEqual(fine(raised));
      expect(refusals([await refresh(one, session.refresh_token)])).toEqual(['unauthorized']);
      const gone = { id: 'nobody', version: 1 };
      expect(refusals([await changeAccount(one, admin, gone, {})])).toEqual(['account_unknown']);
    });

    test(`listAccounts() on ${name} gives every account once, page by page, by state`, async () => {
      const more = Array.from({ length: 23 }, (_, at) =>
        account(100 + at, {
          state: at % 2 === 0 ? 'pending' : 'rejected',
          created_at: clock.now() + (at >> 2),
        }),
      );
      await one.db.transact(({ accounts }) => accounts.insert(...more));
      const all = async (state?: Account['state']) => {
        const seen: string[] = [];
        let after: string | undefined;
        for (;;) {
          const page = fine(await listAccounts(one, { state, limit: 5, after }));
          seen.push(...page.accounts.map(({ id }) => id));
          if (page.next === null) return seen;
          after = page.next;
        }
      };
      expect((await all()).toSorted()).toEqual([admin, anna, ...more].map(({ id }) => id).toSorted());
      expect((await all('pending')).toSorted()).toEqual(
        more.filter(({ state }) => state === 'pending').map(({ id }) => id),
      );
      expect(refusals([await listAccounts(one, { limit: 5, after: 'nobody' })])).toEqual(['malformed']);
    });

    test(`login() on ${name} checks no more than 10 wrong passwords of an account in half an hour`, async () => {
      let checked = 0;
      const counting: Passwords = {
        ...passwords,
        verify: (...given) => {
          checked += 1;
          return passwords.verify(...given);
        },
      };
      for (const address of [email, 'nobody@example.com']) {
        checked = 0;
        const wrong = await race(40, (services, at) =>
          login(services, counting, { email: address, password: `wrong ${at}`, network: `192.0.2.${at}` }),
        );
        expect(checked).toBe(10);
        expect(refusals(wrong).filter((word) => word === 'login_failed')).toHaveLength(10);
        expect(refusals(wrong).filter((word) => word === 'login_throttled')).toHaveLength(30);
        const right = await login(one, counting, { email: address, password, network: '192.0.2.99' });
        expect([refusals([right]), checked]).toEqual([['login_throttled'], 10]);
      }
      clock.advance(half_hour + half_hour / 6);
      expect(refusals([await enter()])).toEqual(['fine']);
    });

    test(`login() on ${name} checks no more than 30 wrong passwords of a network in half an hour`, async () => {
      const wrong = await race(50, (services, at) =>
        enter(services, { email: `user${at}@example.com`, password: 'wrong' }),
      );
      expect(refusals(wrong).filter((word) => word === 'login_failed')).toHaveLength(30);
      expect(refusals([await enter()])).toEqual(['login_throttled']);
      expect(refusals([await enter(one, { network: '192.0.2.2' })])).toEqual(['fine']);
    });

    test(`login() on ${name} counts no right password, and none that nobody had the time to check`, async () => {
      for (let at = 0; at < 40; at++) fine(await enter());
      const busy = createPasswords({ ...cheap, running: 0, waiting: 0 });
      for (let at = 0; at < 40; at++) {
        expect(refusals([await login(one, busy, { email, password, network })])).toEqual(['too_busy']);
      }
      const budget = { name: `login:account:${hashOf(email)}`, window_ms: half_hour, most: 1 };
      expect(await hitsLeft(one, [budget])).toBeTrue();
      const kept = await one.db.read(({ refresh_tokens }) => refresh_tokens.count({ account_id: anna.id }));
      expect(kept).toBe(20);
    });

    test(`login() on ${name} answers alike for unknown, wrong, pending and rejected`, async () => {
      const { password_hash } = anna;
      await one.db.transact(({ accounts }) =>
        accounts.insert(
          account(5, { password_hash, state: 'pending' }),
          account(6, { password_hash, state: 'rejected' }),
        ),
      );
      const answers = [
        await enter(one, { email: 'nobody@example.com' }),
        await enter(one, { email: 'no address' }),
        await enter(one, { password: 'wrong' }),
        await enter(one, { email: 'someone5@example.com' }),
        await enter(one, { email: 'someone6@example.com' }),
      ];
      expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
        new Set([JSON.stringify({ refused: 'login_failed' })]),
      );
    });

    test(`refresh() on ${name} gives two who come at once the same next token`, async () => {
      const first = fine(await enter());
      const answers = await race(8, (services) => refresh(services, first.refresh_token));
      expect(new Set(answers.map((answer) => fine<Login>(answer).refresh_token)).size).toBe(1);
      expect(fine<Login>(answers[0] ?? first).refresh_token).not.toBe(first.refresh_token);
      const open = await one.db.read(({ refresh_tokens }) => refresh_tokens.find({ used_at: null }));
      expect(open).toHaveLength(1);
    });

    test(`refresh() on ${name} ends the login whose token comes twice, and no other`, async () => {
      const [stolen, other] = [fine(await enter()), fine(await enter())];
      const second = fine(await refresh(one, stolen.refresh_token));
      const third = fine(await refresh(both[1], second.refresh_token));
      clock.advance(1_000);
      // Within the 5 s of a lost answer too: the token that would be repeated has been used itself.
      expect(refusals([await refresh(both[1], stolen.refresh_token)])).toEqual(['unauthorized']);
      expect(refusals([await refresh(one, third.refresh_token)])).toEqual(['unauthorized']);
      const next = fine(await refresh(one, other.refresh_token));
      clock.advance(5_001);
      expect(refusals([await refresh(one, other.refresh_token)])).toEqual(['unauthorized']);
      expect(refusals([await refresh(one, next.refresh_token)])).toEqual(['unauthorized']);
    });

    test(`refresh() on ${name} refuses what is unknown, expired, or of an account that is out`, async () => {
      const session = fine(await enter());
      expect(refusals([await refresh(one, 'unknown')])).toEqual(['unauthorized']);
      await one.db.transact(({ accounts }) => accounts.update({ id: anna.id }, { state: 'rejected' }));
      expect(refusals([await refresh(one, session.refresh_token)])).toEqual(['unauthorized']);
      await one.db.transact(({ accounts }) => accounts.update({ id: anna.id }, { state: 'approved' }));
      clock.advance(30 * 24 * 3_600_000);
      expect(refusals([await refresh(one, session.refresh_token)])).toEqual(['unauthorized']);
      await removeExpired(one);
      const left = await one.db.read(async ({ refresh_tokens, counters }) => [
        await refresh_tokens.count({}),
        await counters.count({}),
      ]);
      expect(left).toEqual([0, 0]);
    });

    test(`logout() on ${name} ends one login, logoutEverywhere() all of them`, async () => {
      const [first, second, third] = [fine(await enter()), fine(await enter()), fine(await enter())];
      await logout(one, first.refresh_token);
      await logout(one, 'unknown');
      expect(refusals([await refresh(one, first.refresh_token)])).toEqual(['unauthorized']);
      const next = fine(await refresh(one, second.refresh_token));
      await logoutEverywhere(both[1], anna.id);
      expect(refusals([await refresh(one, next.refresh_token)])).toEqual(['unauthorized']);
      expect(refusals([await refresh(one, third.refresh_token)])).toEqual(['unauthorized']);
      expect(await getAccount(one, anna.id)).toMatchObject({ epoch: 1 });
    });

    test(`useResetLink() on ${name} sets one password by one link, logs in, and out everywhere else`, async () => {
      const before = fine(await enter());
      await race(12, (services) => enter(services, { password: 'wrong' }));
      expect(refusals([await enter()])).toEqual(['login_throttled']);
      const old = fine(await makeResetLink(one, admin, anna.id));
      const { token } = fine(await makeResetLink(one, admin, anna.id));
      expect(refusals([await useResetLink(one, passwords, { ...old, password })])).toEqual([
        'reset_link_wrong',
      ]);
      expect(refusals([await useResetLink(one, passwords, { token, password: email })])).toEqual([
        'password_weak',
      ]);
      const used = await race(6, (services, at) =>
        useResetLink(services, passwords, { token, password: `new password ${at}` }),
      );
      expect(refusals(used).filter((word) => word === 'reset_link_wrong')).toHaveLength(5);
      expect(refusals([await refresh(one, before.refresh_token)])).toEqual(['unauthorized']);
      const winner = used.findIndex((value) => !isRefusal(value));
      const won = used[winner];
      if (won === undefined) throw new Error('nobody won');
      expect(refusals([await refresh(one, fine<Login>(won).refresh_token)])).toEqual(['fine']);
      clock.advance(half_hour + half_hour / 6);
      expect(refusals([await enter(one, { password: `new password ${winner}` })])).toEqual(['fine']);
      expect(refusals([await enter()])).toEqual(['login_failed']);
    });

    test(`makeResetLink() on ${name} is for approved accounts, and its link for a day`, async () => {
      await one.db.transact(({ accounts }) => accounts.insert(account(7, { state: 'pending' })));
      expect(refusals([await makeResetLink(one, admin, 'account-7')])).toEqual(['forbidden']);
      expect(refusals([await makeResetLink(one, admin, 'nobody')])).toEqual(['account_unknown']);
      const { token, expires } = fine(await makeResetLink(one, admin, anna.id));
      expect(expires).toBe(clock.now() + 24 * 3_600_000);
      clock.advance(24 * 3_600_000);
      expect(refusals([await useResetLink(one, passwords, { token, password })])).toEqual([
        'reset_link_wrong',
      ]);
    });

    test(`changePassword() on ${name} wants the old one, within the budget of logins, and ends other logins`, async () => {
      const before = fine(await enter());
      const change = (current: string, wanted = 'another horse') =>
        changePassword(one, passwords, anna, { current, password: wanted, network });
      expect(refusals([await change(password, 'short')])).toEqual(['password_weak']);
      for (let at = 0; at < 9; at++) expect(refusals([await change('wrong')])).toEqual(['login_failed']);
      const changed = fine(await change(password));
      expect(refusals([await refresh(one, before.refresh_token)])).toEqual(['unauthorized']);
      expect(refusals([await refresh(one, changed.refresh_token)])).toEqual(['fine']);
      expect(refusals([await enter(one, { password: 'another horse' })])).toEqual(['fine']);
      expect(refusals([await change(password)])).toEqual(['unauthorized']);
    });

    test(`countHits() on ${name} takes from all budgets or from none`, async () => {
      const budgets = [
        { name: 'b', window_ms: 60_000, most: 7 },
        { name: 'a', window_ms: 60_000, most: 20 },
      ];
      const taken = await race(15, (services) => countHits(services, budgets));
      expect(taken.filter((one) => one)).toHaveLength(7);
      const room = (name: string, most: number) => hitsLeft(one, [{ name, window_ms: 60_000, most }]);
      expect([await room('a', 8), await room('a', 7), await room('b', 8)]).toEqual([true, false, true]);
      await resetHits(one, { name: 'b' });
      expect([await room('b', 1), await room('a', 7)]).toEqual([true, false]);
    });
  });
};
