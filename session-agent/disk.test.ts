import { expect, test } from 'bun:test';
import { tmpdir } from 'node:os';
import { roomIn } from './disk.ts';

test('roomIn() rejects with the folder whose disk is full, and takes one that cannot be asked for room', async () => {
  const look = async (folder: string) => {
    if (folder === '/gone') throw new Error('ENOENT');
    return { bavail: folder === '/full' ? 10 : 100_000, bsize: 4_096 };
  };
  await roomIn(['/free', '/gone'], look);
  expect(roomIn(['/free', '/full'], look)).rejects.toThrow('the disk is full: /full has 40 kB left (ENOSPC)');
  await roomIn([tmpdir(), '/nowhere/at/all']);
});
