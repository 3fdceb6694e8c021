import { expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runDetached } from './detached.ts';

test('runDetached() runs a program in a session of its own and keeps what it says', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-detached-'));
  const file = join(folder, 'said');
  const script = 'echo $$; cut -d" " -f6 /proc/$$/stat; echo wrong >&2; exit 3';
  for (let again = 0; again < 2; again++) {
    expect(await runDetached(['/bin/sh', '-c', script], file)).toBe(3);
    const [pid, session, error] = readFileSync(file, 'utf8').trim().split('\n');
    expect([session, error]).toEqual([pid, 'wrong']);
  }
  rmSync(folder, { recursive: true });
});
