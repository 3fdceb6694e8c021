import { describe, expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import {
  changeAccount,
  createAdmin,
  decideAccount,
  getAccount,
  listAccounts,
  register,
} from '../accounts/accounts.ts';
import { refresh } from '../accounts/logins.ts';
import { createLooks } from '../accounts/looks.ts';
import type { Services } from '../kit/services.ts';
import type { Account } from '../store/tables.ts';
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
import { account } from './rows.ts';

/** What accounts have to do on every database, by two coordinators at once. */
export const testAccounts = (name: string, open: () => Promise<TwoCoordinators>): void => {
  describe(`${testAccounts.name}() on ${name}`, () => {
    const rig = useAccounts(open);

    test(`register() on ${name} makes one account of many attempts at once, and answers all alike`, async () => {
      const { one, passwords, anna, race } = rig();
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

    test(`register() on ${name} takes no name that differs by case or script alone, at once and later`, async () => {
      const { one, passwords, race } = rig();
      const ask = (services: Services, at: number, wanted: { name: string; email?: string }) =>
        register(services, passwords, {
          email: `look${at}@example.com`,
          password,
          network: `192.0.2.${at}`,
          ...wanted,
        });
      // Latin, Cyrillic, and one in capitals, all at once: one of them has the name then.
      const spellings = ['Sasha Cook', 'S\u0430sha C\u043e\u043ek', 'SASHA COOK'];
      const told = refusals(
        await race(6, (services, at) => ask(services, at, { name: spellings[at % 3] ?? '' })),
      );
      expect(told.filter((word) => word === 'fine').length).toBeGreaterThan(0);
      const kept = await one.db.read(({ accounts }) => accounts.find({}));
      const names = kept.map((each) => each.name).filter((each) => /cook|\u043ek/i.test(each));
      expect([new Set(names).size, names.length]).toEqual([1, told.filter((word) => word === 'fine').length]);
      // A namesake is no double.
      expect(refusals([await ask(one, 20, { name: names[0] ?? '' })])).toEqual(['fine']);
      expect(refusals([await ask(one, 21, { name: 'Sasha Cooke' })])).toEqual(['fine']);
    });

    test(`register() on ${name} makes no account for an address that looks like another one, and does not tell`, async () => {
      const { one, passwords, anna } = rig();
      const look = email.replace('a', '\u0430');
      const wanted = { email: look, name: 'Somebody', password, network };
      await createLooks(one)();
      const looks = () => one.db.read(({ account_looks }) => account_looks.count({}));
      const before = await looks();
      expect(await register(one, passwords, wanted)).toBeUndefined();
      expect(await looks()).toBe(before);
      expect(await one.db.read(({ accounts }) => accounts.find({ email: look }))).toEqual([]);
      expect(await one.db.read(({ accounts }) => accounts.find({ email: anna.email }))).toHaveLength(1);
    });

    test(`createLooks() on ${name} notes the accounts of an older release, once`, async () => {
      const { one, both, passwords, anna } = rig();
      const double = { email: 'other@example.com', name: anna.name.toUpperCase(), password, network };
      const before = Array.from({ length: 450 }, (_, at) => account(1_000 + at, { name: `N${at % 300}` }));
      for (let at = 0; at < before.length; at += 150) {
        await one.db.transact(({ accounts }) => accounts.insert(...before.slice(at, at + 150)));
      }
      await Promise.all(both.map((services) => createLooks(services)()));
      expect(refusals([await register(one, passwords, double)])).toEqual(['name_taken']);
      const late = { ...double, name: 'n299' };
      expect(refusals([await register(one, passwords, late)])).toEqual(['name_taken']);
      await one.db.transact(({ accounts }) => accounts.insert(account(5_000, { name: 'Later' })));
      await createLooks(one)();
      expect(
        await one.db.read(({ account_looks }) => account_looks.count({ account_id: 'account-5000' })),
      ).toBe(0);
    });

    test(`register() on ${name} takes 10 from one network in half an hour, however they come`, async () => {
      const { clock, one, passwords, race } = rig();
      const ask = (services: Services, at: number) =>
        register(services, passwords, { email: `n${at}@example.com`, name: 'N', password, network });
      const told = refusals(await race(16, ask));
      expect(told.filter((word) => word === 'fine')).toHaveLength(10);
      expect(told.at(-1)).toBe('too_many_messages');
      clock.advance(throttled_ms);
      expect(refusals([await ask(one, 20)])).toEqual(['fine']);
    });

    test(`register() on ${name} refuses a wrong address and a weak password before all else`, async () => {
      const { one, passwords } = rig();
      const ask = (changes: object) =>
        register(one, passwords, { email: 'b@example.com', name: 'B', password, network, ...changes });
      expect(refusals([await ask({ email: 'b' }), await ask({ password: 'short' })])).toEqual([
        'malformed',
        'password_weak',
      ]);
    });

    test(`createAdmin() on ${name} makes an approved administrator, once for each e-mail`, async () => {
      const { one, passwords, race, enter } = rig();
      const wanted = { email: 'Root@example.com', name: 'Root', password };
      const made = await race(2, (services) => createAdmin(services, passwords, wanted));
      expect(refusals(made)).toEqual(['fine', 'name_taken']);
      expect(await enter(one, { email: 'root@example.com' })).toMatchObject({ account: { role: 'admin' } });
    });

    test(`decideAccount() on ${name} decides once, whoever comes first, and notes who it was`, async () => {
      const { one, admin, anna, race } = rig();
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
      const { both, one } = rig();
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
      const { one, admin, anna, enter } = rig();
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
      const { clock, one, admin, anna } = rig();
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
  });
};
