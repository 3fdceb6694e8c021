import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockFolder } from './lock.ts';
import { createLog, silentLog } from './log.ts';

test('lockFolder() has the folder also when the disk has no room for its number, and says so', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-lock-'));
  symlinkSync('/dev/full', join(folder, 'pid'));
  const lines: string[] = [];
  const log = createLog('session-agent', 'info', { write: (line: string) => void lines.push(line) });
  const lock = lockFolder(folder, log);
  expect(lines.map((line) => JSON.parse(line).error.error_code)).toEqual(['ENOSPC']);
  rmSync(join(folder, 'pid'));
  writeFileSync(join(folder, 'pid'), '');
  expect(lockFolder(folder, silentLog)).toEqual({ holder: 'process that has not said its number' });
  if ('release' in lock) lock.release();
  rmSync(folder, { recursive: true });
});
