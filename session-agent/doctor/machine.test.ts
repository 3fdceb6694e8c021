import { expect, test } from 'bun:test';
import { tmpdir } from 'node:os';
import { checkDisk } from './machine.ts';

test('checkDisk() says of each full folder what that one is for', async () => {
  const folders = { log_folder: tmpdir(), state_folder: tmpdir() };
  const lines = await checkDisk(folders, async () => ({ bavail: 1, bsize: 1_048_576 }));
  expect(lines.map(({ name, state, advice }) => [name, state, advice])).toEqual([
    ['log folder', 'fail', 'Free space: sessions cannot write their logs.'],
    ['state folder', 'fail', 'Free space: no session can be noted, and none begins.'],
  ]);
});
