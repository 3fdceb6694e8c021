import { expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isShared, sharedFile } from './file-rights.ts';

test('isShared() counts everybody, and the group of who owns the file', () => {
  const self = { uid: 10, groups: [20, 21] };
  const rows: [mode: number, uid: number, gid: number, shared: boolean][] = [
    [0o600, 10, 20, false],
    [0o400, 10, 20, false],
    [0o640, 10, 20, true],
    [0o644, 10, 20, true],
    [0o604, 10, 20, true],
    [0o620, 10, 20, true],
    // root:vitrina, read by vitrina.
    [0o640, 0, 21, false],
    [0o644, 0, 21, true],
    [0o640, 0, 30, true],
  ];
  for (const [mode, uid, gid, shared] of rows)
    expect([mode, uid, gid, isShared({ mode: 0o100000 | mode, uid, gid }, self)]).toEqual([
      mode,
      uid,
      gid,
      shared,
    ]);
});

test('sharedFile() names a file with its rights, by way of links too, and none that is not there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-rights-'));
  const [file, link] = [join(folder, 'secret'), join(folder, 'link')];
  writeFileSync(file, 'x');
  chmodSync(file, 0o604);
  symlinkSync(file, link);
  expect(await sharedFile(file)).toBe(`${file} (0604)`);
  expect(await sharedFile(link)).toBe(`${link} (0604)`);
  chmodSync(file, 0o600);
  expect(await sharedFile(link)).toBeUndefined();
  expect(await sharedFile(join(folder, 'nothing'))).toBeUndefined();
  rmSync(folder, { recursive: true });
});
