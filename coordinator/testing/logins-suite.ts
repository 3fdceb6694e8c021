import { describe, expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { getAccount } from '../accounts/accounts.ts';
import { budgetsOf } from '../accounts/attempts.ts';
import { rememberDevice } from '../accounts/devices.ts';
import { type Login, login, logout, logoutEverywhere, refresh } from '../accounts/logins.ts';
import { createPasswords, type Passwords } from '../accounts/passwords.ts';
import { changePassword, makeResetLink, useResetLink } from '../accounts/resets.ts';
import { removals } from '../expiry.ts';
import { removeExpired } from '../kit/sweep.ts';
import { countHits, hitsLeft, resetHits } from '../kit/throttle.ts';
import {
  email,
  fine,
  network,
  password,
  refusals,
  type TwoCoordinators,
  throttled_ms,
  useAccounts,
} from './accounts-rig.ts';
import { cheap } from './app.ts';
import { account } from './rows.ts';

/** What logins have to do on every database, by two coordinators at once. */
export const testLogins = (name: string, open: () => Promise<TwoCoordinators>): void => {
  describe(`${testLogins.name}() on ${name}`, () => {
    const rig = useAccounts(open);

    test(`login() on ${name} checks no more than 10 wrong passwords of an account in half an hour`, async () => {
      const { clock, one, passwords, race, enter } = rig();
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
      clock.advance(throttled_ms);
      expect(refusals([await enter()])).toEqual(['fine']);
    });

    test(`login() on ${name} checks no more than 30 wrong passwords of a network in half an hour`, async () => {
      const { one, race, enter } = rig();
      const wrong = await race(50, (services, at) =>
        enter(services, { email: `user${at}@example.com`, password: 'wrong' }),
      );
      expect(refusals(wrong).filter((word) => word === 'login_failed')).toHaveLength(30);
      expect(refusals([await enter()])).toEqual(['login_throttled']);
      expect(refusals([await enter(one, { network: '192.0.2.2' })])).toEqual(['fine']);
    });

    test(`login() on ${name} makes strangers wait while others guess, and shuts nobody out`, async () => {
      const { clock, one, race, enter } = rig();
      const minute = 60_000;
      const guess = (from: string) => enter(one, { password: 'wrong', network: from });
      await race(10, (services) => enter(services, { password: 'wrong' }));
      // The owner comes from elsewhere, on a device that nobody knows.
      const home = { network: '198.51.100.7' };
      const first = await enter(one, home);
      expect(first).toEqual({ refused: 'login_throttled', detail: 'wait 60 s', retry_after: 60 });
      // Whoever guesses on uses up its own turns only, and waits longer and longer for them.
      const waits: number[] = [];
      for (let at = 0; at < 8; at++) {
        const answer = await guess(network);
        if (!isRefusal(answer)) throw new Error('a wrong password was right');
        waits.push(answer.retry_after ?? 0);
        if (answer.retry_after !== undefined) clock.advance(answer.retry_after * 1_000);
      }
      expect(Math.max(...waits)).toBeLessThanOrEqual(15 * 60);
      expect(refusals([await enter(one, home)])).toEqual(['fine']);
      // From a hundred networks at once, again and again: a right password comes in after one wait.
      for (let at = 0; at < 100; at++) await guess(`203.0.113.${at}`);
      const last = await enter(one, { network: '198.51.100.8' });
      const wait = isRefusal(last) ? (last.retry_after ?? 0) : 0;
      expect([wait > 60, wait <= 15 * 60]).toEqual([true, true]);
      clock.advance(wait * 1_000 - minute);
      for (let at = 0; at < 100; at++) await guess(`203.0.113.${at}`);
      clock.advance(minute);
      for (let at = 0; at < 100; at++) await guess(`203.0.113.${at}`);
      expect(refusals([await enter(one, { network: '198.51.100.8' })])).toEqual(['fine']);
    });

    test(`login() on ${name} gives a turn that has come to one of those who come at once`, async () => {
      const { clock, race, enter } = rig();
      await race(10, (services) => enter(services, { password: 'wrong' }));
      await enter();
      clock.advance(60_000);
      const answers = refusals(await race(8, (services) => enter(services, { password: 'wrong' })));
      expect(answers.toSorted()).toEqual(['login_failed', ...Array<string>(7).fill('login_throttled')]);
    });

    test(`login() on ${name} lets a known device in whatever others guess, within a budget of its own`, async () => {
      const { clock, one, anna, race, enter } = rig();
      const device = rememberDevice(one.ids, undefined, anna);
      await race(40, (services, at) => enter(services, { password: 'wrong', network: `203.0.113.${at}` }));
      await race(40, (services) => enter(services, { email: 'nobody@example.com', password: 'wrong' }));
      expect(refusals([await enter(one, { device })])).toEqual(['fine']);
      const wrong = refusals(await race(12, (services) => enter(services, { device, password: 'wrong' })));
      expect(wrong.filter((word) => word === 'login_failed')).toHaveLength(10);
      expect(refusals([await enter(one, { device })])).toEqual(['login_throttled']);
      clock.advance(15 * 60_000);
      expect(refusals([await enter(one, { device })])).toEqual(['fine']);
      // Of another account, made up, or from before another password: a stranger's.
      const foreign = rememberDevice(one.ids, undefined, { ...anna, id: 'other' });
      const old = rememberDevice(one.ids, undefined, { ...anna, password_hash: 'old' });
      const other = device.startsWith('_') ? '-' : '_';
      for (const token of [foreign, old, `${device}x`, 'x', device.replace(/^./, other)]) {
        expect(refusals([await enter(one, { device: token })])).toEqual(['login_throttled']);
      }
    });

    test(`login() on ${name} keeps a bounded number of rows, however many addresses are invented`, async () => {
      const { one } = rig();
      const names = new Set<string>();
      for (let at = 0; at < 20_000; at++) {
        const by = { network: `192.0.2.${at}` };
        for (const budget of budgetsOf({ email: `user${at}@example.com`, by })) names.add(budget.name);
      }
      expect(names.size).toBeLessThanOrEqual(8_192);
      expect(await one.db.read(({ counters }) => counters.count({}))).toBeLessThan(100);
    });

    test(`login() on ${name} counts no right password, and none that nobody had the time to check`, async () => {
      const { one, anna, enter } = rig();
      for (let at = 0; at < 40; at++) fine(await enter());
      const busy = createPasswords({ ...cheap, running: 0, waiting: 0 });
      for (let at = 0; at < 40; at++) {
        expect(refusals([await login(one, busy, { email, password, network })])).toEqual(['too_busy']);
      }
      const budgets = budgetsOf({ email, by: { network } }).map((budget) => ({ ...budget, most: 1 }));
      expect(await hitsLeft(one, budgets)).toBeTrue();
      const kept = await one.db.read(({ refresh_tokens }) => refresh_tokens.count({ account_id: anna.id }));
      expect(kept).toBe(20);
    });

    test(`login() on ${name} answers alike for unknown, wrong, pending and rejected`, async () => {
      const { one, anna, enter } = rig();
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
      const { one, race, enter } = rig();
      const first = fine(await enter());
      const answers = await race(8, (services) => refresh(services, first.refresh_token));
      expect(new Set(answers.map((answer) => fine<Login>(answer).refresh_token)).size).toBe(1);
      expect(fine<Login>(answers[0] ?? first).refresh_token).not.toBe(first.refresh_token);
      const open = await one.db.read(({ refresh_tokens }) => refresh_tokens.find({ used_at: null }));
      expect(open).toHaveLength(1);
    });

    test(`refresh() on ${name} ends the login whose token comes twice, and no other`, async () => {
      const { clock, both, one, enter } = rig();
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
      const { clock, one, anna, enter } = rig();
      const session = fine(await enter());
      expect(refusals([await refresh(one, 'unknown')])).toEqual(['unauthorized']);
      await one.db.transact(({ accounts }) => accounts.update({ id: anna.id }, { state: 'rejected' }));
      expect(refusals([await refresh(one, session.refresh_token)])).toEqual(['unauthorized']);
      await one.db.transact(({ accounts }) => accounts.update({ id: anna.id }, { state: 'approved' }));
      clock.advance(30 * 24 * 3_600_000);
      expect(refusals([await refresh(one, session.refresh_token)])).toEqual(['unauthorized']);
      await removeExpired(one, removals);
      const left = await one.db.read(async ({ refresh_tokens, counters }) => [
        await refresh_tokens.count({}),
        await counters.count({}),
      ]);
      expect(left).toEqual([0, 0]);
    });

    test(`logout() on ${name} ends one login, logoutEverywhere() all of them`, async () => {
      const { both, one, anna, enter } = rig();
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
      const { clock, one, passwords, admin, anna, race, enter } = rig();
      const before = fine(await enter());
      await race(12, (services) => enter(services, { password: 'wrong' }));
      expect(refusals([await enter()])).toEqual(['login_throttled']);
      const old = fine(await makeResetLink(one, admin.id, anna.id));
      const { token } = fine(await makeResetLink(one, admin.id, anna.id));
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
      clock.advance(throttled_ms);
      expect(refusals([await enter(one, { password: `new password ${winner}` })])).toEqual(['fine']);
      expect(refusals([await enter()])).toEqual(['login_failed']);
    });

    test(`makeResetLink() on ${name} is for approved accounts, and its link for a day`, async () => {
      const { clock, one, passwords, admin, anna } = rig();
      await one.db.transact(({ accounts }) => accounts.insert(account(7, { state: 'pending' })));
      expect(refusals([await makeResetLink(one, admin.id, 'account-7')])).toEqual(['forbidden']);
      expect(refusals([await makeResetLink(one, admin.id, 'nobody')])).toEqual(['account_unknown']);
      const { token, expires } = fine(await makeResetLink(one, admin.id, anna.id));
      expect(expires).toBe(clock.now() + 24 * 3_600_000);
      clock.advance(24 * 3_600_000);
      expect(refusals([await useResetLink(one, passwords, { token, password })])).toEqual([
        'reset_link_wrong',
      ]);
    });

    test(`changePassword() on ${name} wants the old one, within the budget of logins, and ends other logins`, async () => {
      const { one, passwords, anna, enter } = rig();
      const before = fine(await enter());
      const change = (current: string, wanted = 'another horse') =>
        changePassword(one, passwords, anna, { current, password: wanted });
      expect(refusals([await change(password, 'short')])).toEqual(['password_weak']);
      for (let at = 0; at < 9; at++) expect(refusals([await change('wrong')])).toEqual(['login_failed']);
      const changed = fine(await change(password));
      expect(refusals([await refresh(one, before.refresh_token)])).toEqual(['unauthorized']);
      expect(refusals([await refresh(one, changed.refresh_token)])).toEqual(['fine']);
      expect(refusals([await enter(one, { password: 'another horse' })])).toEqual(['fine']);
      expect(refusals([await change(password)])).toEqual(['unauthorized']);
    });

    test(`countHits() on ${name} takes from all budgets or from none`, async () => {
      const { one, race } = rig();
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
