import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installDebianPackages, testPackages } from './debian.ts';

/**
 * `npm test`: installs what the tests need, builds the executables that the end-to-end tests run, runs every test and
 * ends with the line `N passed, N failed` (and `, N skipped`). Arguments are passed on to `bun test`.
 */
const bun = async (...args: string[]) =>
  await Bun.spawn([process.execPath, ...args], { stdio: ['ignore', 'inherit', 'inherit'] }).exited;

/** The totals stand in the attributes of the report's outermost element. */
const totals = (junit: string) => {
  const root = /<testsuites [^>]*>/.exec(junit)?.[0] ?? '';
  const count = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(root)?.[1] ?? 0);
  const failed = count('failures') + count('errors');
  const skipped = count('skipped');
  return { passed: count('tests') - failed - skipped, failed, skipped };
};

await installDebianPackages(testPackages);
const built = await bun('scripts/build.ts', 'session-agent-linux-x64', 'coordinator-linux-x64');
if (built !== 0) process.exit(built);

const folder = mkdtempSync(join(tmpdir(), 'vitrina-test-'));
const report = join(folder, 'junit.xml');
const exit = await bun(
  'test',
  // Many files wait for something outside them most of their time; each runs in a process of its own.
  '--parallel=2',
  '--timeout=120000',
  '--reporter=junit',
  `--reporter-outfile=${report}`,
  ...process.argv.slice(2),
);
let junit = '';
try {
  junit = readFileSync(report, 'utf8');
} catch {
  process.stderr.write('bun test wrote no report: it ended before the tests did.\n');
}
rmSync(folder, { recursive: true });

const { passed, failed, skipped } = totals(junit);
// A run that broke outside a test (a syntax error, a crash) must not read as "0 failed".
const broken = exit !== 0 && failed === 0 ? 1 : 0;
process.stdout.write(
  `${passed} passed, ${failed + broken} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`,
);
process.exit(exit === 0 && passed > 0 ? 0 : 1);
