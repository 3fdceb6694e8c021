import { expect, test } from 'bun:test';
import { refuse } from '../../shared/errors.ts';
import { email, network, password, refusals, useAccounts } from '../testing/accounts-rig.ts';
import { memoryDatabase } from '../testing/database.ts';
import { rememberDevice } from './devices.ts';
import { login } from './logins.ts';

const rig = useAccounts(async () => {
  const database = memoryDatabase();
  return { databases: [database, database], [Symbol.asyncDispose]: () => database.close() };
});

test('login() asks nothing of the database for a stranger whose network is barred', async () => {
  const { one, anna, passwords } = rig();
  const barred = refuse('too_many_messages');
  const admit = async () => barred;
  const enter = (services = one, device?: string) =>
    login(services, passwords, { email, password, network, device, admit });
  const blind = { ...one.db, read: () => Promise.reject(new Error('it was read')) };
  expect(await enter({ ...one, db: blind })).toEqual(barred);
  // A known device asks for no share, and one that only says so is a stranger.
  const device = rememberDevice(one.ids, undefined, anna);
  expect(refusals([await enter(one, device)])).toEqual(['fine']);
  expect(await enter(one, 'x')).toEqual(barred);
});
