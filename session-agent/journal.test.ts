import { afterEach, beforeEach, expect, test } from 'bun:test';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog, silentLog } from '../shared/log.ts';
import type { Entry } from './domain/journal.ts';
import { Journal } from './journal.ts';
import { fullDisk } from './testing/full-disk.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrina-journal-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = () => join(folder, 'journal.jsonl');
const opened = async (log = silentLog) => {
  const journal = new Journal(folder, log);
  await journal.open();
  return journal;
};
const launch = (i: number, secret = 's'): Entry => ({
  is: 'launch',
  instance_id: `instance-${String(i).padStart(13, '0')}`,
  app: {},
  card: 0,
  secret,
  at: i,
});
const ids = ({ account }: Journal) => [...account.instances.keys()].map((id) => Number(id.slice(-3)));

test('append() writes in order what the next life reads, for its owner only', async () => {
  const journal = await opened();
  await Promise.all([1, 2, 3].map((i) => journal.append(launch(i))));
  await journal.append({ is: 'ended', instance_id: 'instance-0000000000002' });
  expect(ids(journal)).toEqual([1, 3]);
  await journal.close();
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  const next = await opened();
  expect(ids(next)).toEqual([1, 3]);
  expect(readFileSync(file(), 'utf8').trim().split('\n')).toHaveLength(2);
  expect(readdirSync(folder)).toEqual(['journal.jsonl']);
  await next.close();
});

test('open() leaves out a torn last line and says which other line it does not understand', async () => {
  const journal = await opened();
  await journal.append(launch(1));
  await journal.close();
  appendFileSync(
    file(),
    `{"is":"unheard of"}\n${JSON.stringify(launch(2))}\n${JSON.stringify(launch(3)).slice(0, 30)}`,
  );
  const lines: string[] = [];
  const next = await opened(
    createLog('session-agent', 'info', { write: (line: string) => void lines.push(line) }),
  );
  expect(ids(next)).toEqual([1, 2]);
  expect(lines.map((line) => JSON.parse(line).line)).toEqual([undefined, 2]);
  await next.append(launch(4));
  await next.close();
  const last = await opened();
  expect(ids(last)).toEqual([1, 2, 4]);
  await last.close();
});

test('append() keeps the file within its bound', async () => {
  const journal = await opened();
  const secret = 'x'.repeat(20_000);
  await journal.append(launch(0));
  for (let i = 1; i < 200; i++) {
    const { instance_id } = { instance_id: `instance-${String(i).padStart(13, '0')}` };
    await Promise.all([journal.append(launch(i, secret)), journal.append({ is: 'ended', instance_id })]);
  }
  expect(ids(journal)).toEqual([0]);
  expect(statSync(file()).size).toBeLessThan(1.2 * 1024 * 1024);
  await journal.close();
});

/** A megabyte of lines that count no more: the next look rewrites the file. */
const fill = async (journal: Journal) => {
  for (let i = 1; i < 70; i++) {
    await journal.append(launch(i, 'x'.repeat(20_000)));
    await journal.append({ is: 'ended', instance_id: `instance-${String(i).padStart(13, '0')}` });
  }
};

test('append() has closed the file when the shorter one takes its place: Windows replaces none that is open', async () => {
  const was_the_journal: boolean[] = [];
  const journal = new Journal(folder, silentLog, async (path, flags, mode) => {
    const handle = await open(path, flags, mode);
    const close = handle.close.bind(handle);
    handle.close = async () => {
      was_the_journal.push((await handle.stat()).ino === statSync(file()).ino);
      await close();
    };
    return handle;
  });
  await journal.open();
  await fill(journal);
  expect(statSync(file()).size).toBeLessThan(1024 * 1024);
  await journal.close();
  expect(was_the_journal).toEqual([true, true]);
});

test('append() goes on with the old file when the shorter one cannot take its place', async () => {
  let lost = false;
  const journal = new Journal(folder, silentLog, async (path, flags, mode) => {
    const handle = await open(path, flags, mode);
    const sync = handle.sync.bind(handle);
    handle.sync = async () => {
      await sync();
      if (lost) rmSync(path);
    };
    return handle;
  });
  await journal.open();
  lost = true;
  await journal.append(launch(0));
  await fill(journal);
  await journal.append(launch(99));
  await journal.close();
  expect(statSync(file()).size).toBeGreaterThan(1024 * 1024);
  const next = await opened();
  expect(ids(next)).toEqual([0, 99]);
  await next.close();
});

test('append() to a journal that is closed is refused, and close() may come twice', async () => {
  const journal = await opened();
  await journal.close();
  await journal.close();
  expect(journal.append(launch(1))).rejects.toThrow('closed');
});

test('append() on a full disk says which file and why, leaves no half line, and goes on when there is room', async () => {
  const disk = fullDisk();
  const journal = new Journal(folder, silentLog, disk.openFile);
  await journal.open();
  await journal.append(launch(1));
  disk.full = true;
  expect(journal.append(launch(2))).rejects.toThrow(
    `the disk is full: ${file()} cannot be written (ENOSPC: no space left on device, write)`,
  );
  await journal.append(launch(3)).catch(() => {});
  expect(ids(journal)).toEqual([1]);
  disk.full = false;
  await journal.append(launch(4));
  await journal.close();
  expect(
    readFileSync(file(), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).at),
  ).toEqual([1, 4]);
  const next = await opened();
  expect(ids(next)).toEqual([1, 4]);
  await next.close();
});

test('open() on a full disk knows what is there, torn end and all, and takes lines once there is room', async () => {
  const journal = await opened();
  await journal.append(launch(1));
  await journal.close();
  appendFileSync(file(), JSON.stringify(launch(2)).slice(0, 30));
  const disk = fullDisk();
  disk.full = true;
  const next = new Journal(folder, silentLog, disk.openFile);
  await next.open();
  expect(ids(next)).toEqual([1]);
  expect(next.append(launch(3))).rejects.toThrow('the disk is full');
  disk.full = false;
  await next.append(launch(4));
  await next.close();
  const last = await opened();
  expect(ids(last)).toEqual([1, 4]);
  await last.close();
});

test('open() throws when the journal cannot be written for another reason than a full disk', async () => {
  mkdirSync(file());
  expect(opened()).rejects.toThrow('EISDIR');
});
