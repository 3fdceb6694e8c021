import { systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { login } from '../accounts/logins.ts';
import { createPasswords } from '../accounts/passwords.ts';
import { memoryBus } from './bus.ts';
import { memoryDatabase } from './database.ts';
import { recordedLog } from './log.ts';
import { account } from './rows.ts';
import { memoryStore } from './store.ts';

/**
 * Whether the time of a refused login tells what is wrong with it: logs in with the real hash, `bun
 * coordinator/testing/login-times.ts [ROUNDS]`, and compares the times of unknown, pending and rejected accounts with those
 * of a wrong password by the test of Mann and Whitney. Prints JSON; exits with 1 when they can be told apart.
 */
const rounds = Number(process.argv[2] ?? 500);
const kinds = ['wrong', 'unknown', 'pending', 'rejected'] as const;
const right = 'correct horse';

const median = (sorted: readonly number[]): number => sorted[sorted.length >> 1] ?? 0;

/** Two-sided p of "both are drawn alike", by the normal approximation. */
const mannWhitney = (a: readonly number[], b: readonly number[]): number => {
  const ranked = [...a.map((ms) => ({ ms, a: true })), ...b.map((ms) => ({ ms, a: false }))].toSorted(
    (one, other) => one.ms - other.ms,
  );
  const ranks = ranked.reduce((sum, one, at) => sum + (one.a ? at + 1 : 0), 0);
  const u = ranks - (a.length * (a.length + 1)) / 2;
  const deviation = Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12);
  const z = Math.abs(u - (a.length * b.length) / 2) / deviation;
  // Abramowitz and Stegun 26.2.17: wrong by less than 10^-7.
  const t = 1 / (1 + 0.2316419 * z);
  const tail =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return Math.min(1, (2 * tail * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI));
};

const passwords = createPasswords();
const password_hash = String(await passwords.hash(right));
const services = {
  db: memoryDatabase(),
  clock: systemClock,
  ids: systemIds,
  log: recordedLog().log,
  store: memoryStore([]),
  bus: memoryBus(systemClock),
};
await services.db.transact(({ accounts }) =>
  accounts.insert(
    account(1, { email: 'wrong@example.com', password_hash }),
    account(2, { email: 'pending@example.com', password_hash, state: 'pending' }),
    account(3, { email: 'rejected@example.com', password_hash, state: 'rejected' }),
  ),
);
const times: Record<(typeof kinds)[number], number[]> = { wrong: [], unknown: [], pending: [], rejected: [] };
for (let round = 0; round < rounds; round++) {
  // Each round in another order: nobody is always the one after the pause.
  for (let at = 0; at < kinds.length; at++) {
    const kind = kinds[(at + round) % kinds.length] ?? 'wrong';
    await services.db.transact(({ counters }) => counters.remove({ expires_at: { from: 0 } }));
    const password = kind === 'wrong' ? 'wrong horse' : right;
    const started = performance.now();
    const answer = await login(services, passwords, {
      email: `${kind}@example.com`,
      password,
      network: `192.0.2.${round}`,
    });
    if (!('refused' in answer) || answer.refused !== 'login_failed') throw new Error(JSON.stringify(answer));
    times[kind].push(performance.now() - started);
  }
}
const sorted = (kind: (typeof kinds)[number]) => times[kind].toSorted((a, b) => a - b);
const compared = kinds.slice(1).map((kind) => ({
  kind,
  median_gap_ms: Number((median(sorted(kind)) - median(sorted('wrong'))).toFixed(3)),
  p: Number(mannWhitney(times.wrong, times[kind]).toFixed(4)),
}));
const medians = Object.fromEntries(kinds.map((kind) => [kind, Number(median(sorted(kind)).toFixed(2))]));
const ok = compared.every(({ median_gap_ms, p }) => p > 0.01 && Math.abs(median_gap_ms) < 2);
process.stdout.write(`${JSON.stringify({ rounds, median_ms: medians, compared, ok })}\n`);
process.exit(ok ? 0 : 1);
