import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testServers } from '../shared/testing/mariadb.ts';
import { contained } from './contained.ts';
import { totals } from './junit.ts';

/**
 * `bun run test:mysql`, `test:mariadb11`, `test:galera`: the suites of the store on another server than `npm test` has, then
 * `chaos:bookings` on it; with `galera` two coordinators write on two nodes of three. Further arguments are those of
 * `chaos:bookings`. Prints its JSON with the counts of the suites. The first run makes a newer Debian in `.cache/`. Needs root.
 */
const [name = '', ...further] = process.argv.slice(2);
const server = testServers.find((one) => one === name);
if (server === undefined) {
  process.stderr.write(`name one of ${testServers.join(', ')}\n`);
  process.exit(2);
}

const suites = [
  'coordinator/store/mysql/database.test.ts',
  'coordinator/store/mysql/session.test.ts',
  ...(server === 'galera' ? [] : ['coordinator/store/mysql/backup.test.ts']),
  'coordinator/bookings/bookings.test.ts',
  'coordinator/seats/cards.test.ts',
  'coordinator/webhooks/deliveries.test.ts',
  'coordinator/accounts/accounts.test.ts',
  'coordinator/catalogue/edits.test.ts',
];

const folder = mkdtempSync(join(tmpdir(), 'vt-'));
chmodSync(folder, 0o755);
const run = async (command: string[]): Promise<{ code: number; text: string }> => {
  const child = Bun.spawn(contained([process.execPath, ...command]), {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: folder, VITRINA_TEST_SERVER: server },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => child.kill('SIGKILL'));
  const text = await new Response(child.stdout).text();
  return { code: await child.exited, text };
};

const report = join(folder, 'junit.xml');
const testing = ['test', '--timeout=300000', '--reporter=junit', `--reporter-outfile=${report}`, ...suites];
const tested = await run(testing);
const junit = await Bun.file(report)
  .text()
  .catch(() => '');
const chaos = await run([
  'coordinator/testing/contention.ts',
  '--attempts',
  '10000',
  '--accounts',
  '50',
  ...further,
]);
rmSync(folder, { recursive: true, force: true });
const counts = totals(junit);
const counted: unknown = chaos.text === '' ? null : JSON.parse(chaos.text);
process.stdout.write(`${JSON.stringify({ server, suites: counts, chaos: counted }, undefined, 2)}\n`);
process.exit(tested.code === 0 && chaos.code === 0 && counts.passed > 0 ? 0 : 1);
