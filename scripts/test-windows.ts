import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { contained } from './contained.ts';
import { totals } from './junit.ts';

/**
 * `bun run test:windows`: the agent's Windows executable, and a Windows build of the stand-in app, on Wine 10 with a real coordinator
 * beside it. The first run makes a newer Debian with Wine in `.cache/`. Needs root. Ends with the line `N passed, N failed`.
 */
const folder = mkdtempSync(join(tmpdir(), 'vt-'));
chmodSync(folder, 0o755);
const report = join(folder, 'junit.xml');
const testing = ['test', '--timeout=300000', '--reporter=junit', `--reporter-outfile=${report}`];
const child = Bun.spawn(contained([process.execPath, ...testing, './tests/windows/agent.ts']), {
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, TMPDIR: folder },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => child.kill('SIGKILL'));
const code = await child.exited;
const junit = await Bun.file(report)
  .text()
  .catch(() => '');
rmSync(folder, { recursive: true, force: true });
const { passed, failed } = totals(junit);
const broken = code !== 0 && failed === 0 ? 1 : 0;
process.stdout.write(`${passed} passed, ${failed + broken} failed\n`);
process.exit(code === 0 && passed > 0 ? 0 : 1);
