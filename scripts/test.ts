import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contained } from './contained.ts';
import { installDebianPackages, testPackages } from './debian.ts';
import { totals } from './junit.ts';

/**
 * `npm test`: installs what the tests need, builds the executables that the end-to-end tests run, runs every test and
 * ends with the line `N passed, N failed` (and `, N skipped`). Arguments are passed on to `bun test`.
 */
const run = async (command: string[], environment: Record<string, string> = {}): Promise<number> => {
  const child = Bun.spawn(command, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const interrupt = () => child.kill('SIGKILL');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  return await child.exited;
};

await installDebianPackages(testPackages);
const programs = ['session-agent-linux-x64', 'coordinator-linux-x64'];
const built = await run([process.execPath, 'scripts/build.ts', ...programs]);
if (built !== 0) process.exit(built);

// What the tests leave in it goes with it, also when the run is interrupted. Database servers run as users of their own.
const folder = mkdtempSync(join(tmpdir(), 'vt-'));
chmodSync(folder, 0o755);
const report = join(folder, 'junit.xml');
const tests = [
  process.execPath,
  'test',
  // Many files wait for something outside them most of their time; each runs in a process of its own.
  '--parallel=2',
  '--timeout=120000',
  '--reporter=junit',
  `--reporter-outfile=${report}`,
  ...process.argv.slice(2),
];
const exit = await run(contained(tests), { TMPDIR: folder });
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
