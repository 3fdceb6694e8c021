import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { version } from '../shared/version.ts';

const run = async (...args: string[]) => {
  const program = Bun.spawn([process.execPath, join(import.meta.dir, 'main.ts'), ...args], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [out, code] = await Promise.all([program.stdout.text(), program.exited]);
  return { out, code };
};

test('run() answers help and version and serves nothing', async () => {
  const helps = [['--help'], ['-h'], ['help'], ['--player_port', '0', '--help']];
  for (const { out, code } of await Promise.all(helps.map((args) => run(...args)))) {
    expect([out, code]).toEqual([expect.stringContaining('--player_port'), 0]);
  }
  const versions = [['--version'], ['-v'], ['version']];
  for (const answer of await Promise.all(versions.map((args) => run(...args)))) {
    expect(answer).toEqual({ out: `${version}\n`, code: 0 });
  }
}, 60_000);
