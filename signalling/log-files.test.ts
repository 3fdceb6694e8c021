import { expect, test } from 'bun:test';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fakeClock } from '../shared/testing/clock.ts';
import { createLogFiles } from './log-files.ts';

const day_ms = 86_400_000;

test('createLogFiles() writes one file a day and keeps fourteen', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vitrina-'));
  try {
    await Bun.write(join(folder, 'server-notes.log'), 'a file of somebody else');
    const clock = fakeClock(Date.UTC(2026, 1, 27));
    const { write } = createLogFiles(join(folder), clock, () => undefined);
    write('first\n');
    write('second\n');
    expect(await readFile(join(folder, 'server-2026-02-27.log'), 'utf8')).toBe('first\nsecond\n');
    for (let day = 0; day < 20; day++) {
      clock.advance(day_ms);
      write('line\n');
    }
    const files = (await readdir(folder)).sort();
    expect(files[0]).toBe('server-2026-03-05.log');
    expect(files.at(-2)).toBe('server-2026-03-19.log');
    expect(files.at(-1)).toBe('server-notes.log');
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('createLogFiles() tells once that it cannot write, and goes on', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vitrina-'));
  try {
    const blocked = join(folder, 'blocked');
    await Bun.write(blocked, 'a file where the folder should be');
    let failures = 0;
    const { write } = createLogFiles(blocked, fakeClock(), () => failures++);
    write('lost\n');
    write('lost\n');
    expect(failures).toBe(1);
    await rm(blocked);
    write('kept\n');
    expect(await readFile(join(blocked, 'server-2026-01-01.log'), 'utf8')).toBe('kept\n');
  } finally {
    await rm(folder, { recursive: true });
  }
});
