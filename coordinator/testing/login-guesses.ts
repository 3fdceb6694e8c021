import { systemIds } from '../../shared/ids.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { startMariadb } from '../../shared/testing/mariadb.ts';
import { login, refresh } from '../accounts/logins.ts';
import { createPasswords, type Passwords } from '../accounts/passwords.ts';
import { cheap } from './app.ts';
import { memoryBus } from './bus.ts';
import { recordedLog } from './log.ts';
import { openMigrated } from './mysql.ts';
import { account } from './rows.ts';
import { memoryStore } from './store.ts';

/**
 * Guesses at one account from 1,000 networks, over two coordinators on a private MariaDB, all within one moment:
 * `bun coordinator/testing/login-guesses.ts [GUESSES]`. Prints JSON; exits with 1 when more than the budget of ten were looked at,
 * a guess was answered in another way, or the owner was thrown out where they are logged in.
 */
const guesses = Number(process.argv[2] ?? 10_000);
const networks = 1_000;
const clients = 32;
const budget = 10;
const email = 'anna@example.com';
const password = 'correct horse';

await using server = await startMariadb();
const url = await server.createDatabase('guesses');
const databases = [await openMigrated(url), await openMigrated(url)] as const;
const clock = fakeClock();
const rest = { bus: memoryBus(clock), clock, ids: systemIds, log: recordedLog().log, store: memoryStore([]) };
const coordinators = databases.map((db) => ({ ...rest, db }));
const coordinatorOf = (number: number) => coordinators[number % 2] ?? { ...rest, db: databases[0] };

const hashing = createPasswords(cheap);
let checked = 0;
const passwords: Passwords = {
  hash: hashing.hash,
  verify(...given) {
    checked += 1;
    return hashing.verify(...given);
  },
};
const password_hash = String(await hashing.hash(password));
await databases[0].transact(({ accounts }) => accounts.insert(account(1, { email, password_hash })));
const owner = await login(coordinatorOf(0), passwords, { email, password, network: 'home' });
if ('refused' in owner) throw new Error(owner.refused);
checked = 0;

const answers: Record<string, number> = {};
let next = 0;
let owner_refused: string | undefined;
const guess = async (client: number): Promise<void> => {
  for (let number = next++; number < guesses; number = next++) {
    const network = `network ${number % networks}`;
    const answer = await login(coordinatorOf(client), passwords, {
      email,
      password: `guess ${number}`,
      network,
    });
    const word = 'refused' in answer ? answer.refused : 'in';
    answers[word] = (answers[word] ?? 0) + 1;
    if (number !== guesses >> 1) continue;
    const refreshed = await refresh(coordinatorOf(client), owner.refresh_token);
    if ('refused' in refreshed) owner_refused = refreshed.refused;
  }
};
const started = performance.now();
await Promise.all(Array.from({ length: clients }, (_, client) => guess(client)));
const seconds = Number(((performance.now() - started) / 1_000).toFixed(1));
await Promise.all(databases.map((database) => database.close()));

const { login_failed = 0, login_throttled = 0 } = answers;
const ok = checked <= budget && login_failed + login_throttled === guesses && owner_refused === undefined;
process.stdout.write(`${JSON.stringify({ guesses, networks, checked, answers, seconds, ok })}\n`);
process.exitCode = ok ? 0 : 1;
