import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { silentLog } from '../../shared/log.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { sleep } from '../wait.ts';
import { adoptOutput, openOutput, pruneOutputs } from './output.ts';

setDefaultTimeout(120_000);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrina-output-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('openOutput() gives the last lines, and none once closed', async () => {
  const clock = fakeClock();
  const output = openOutput(join(folder, 'a', 'app.log'), clock, silentLog);
  expect(output.tail(3)).toEqual([]);
  writeSync(output.fd, 'one\ntwo\r\nthree\nfour\n');
  expect(output.tail(3)).toEqual(['two', 'three', 'four']);
  await Promise.all([output.close(), output.close()]);
  expect(output.tail(3)).toEqual([]);
  expect(clock.pending()).toBe(0);
});

/** A condition that the thread pool brings about. */
const until = async (is: () => boolean) => {
  while (!is()) await sleep(systemClock, 5);
};
const MB = 1024 * 1024;

test('openOutput() keeps the file within its bound, and no more than its end beside it', async () => {
  const clock = fakeClock();
  const file = join(folder, 'long.log');
  const output = openOutput(file, clock, silentLog);
  writeSync(output.fd, Buffer.alloc(40 * MB, 'x'));
  writeSync(output.fd, 'the end');
  clock.advance(250);
  await until(() => statSync(file).size === 0 && clock.pending() === 1);
  writeSync(output.fd, 'after');
  expect(readFileSync(file, 'utf8')).toBe('after');
  expect(statSync(`${file}.1`).size).toBe(8 * MB);
  expect(readFileSync(`${file}.1`, 'utf8').endsWith('xthe end')).toBe(true);
  await output.close();
  expect(clock.pending()).toBe(0);
});

test('openOutput() rolls what became long while nobody looked, and close() meanwhile lets it end', async () => {
  const clock = fakeClock();
  const file = join(folder, 'unwatched.log');
  writeFileSync(file, Buffer.alloc(20 * MB, 'y'));
  const output = openOutput(file, clock, silentLog);
  await output.close();
  expect(statSync(file).size).toBe(0);
  expect(statSync(`${file}.1`).size).toBe(8 * MB);
  expect(clock.pending()).toBe(0);
});

test('close() bounds what was written since the last look, while a roll was under way too', async () => {
  const clock = fakeClock();
  const file = join(folder, 'last.log');
  for (const looked of [false, true]) {
    const output = openOutput(file, clock, silentLog);
    writeSync(output.fd, Buffer.alloc(25 * MB, 'z'));
    if (looked) clock.advance(250);
    const closed = output.close();
    writeSync(output.fd, 'the end');
    await closed;
    expect(statSync(file).size).toBeLessThanOrEqual(8 * MB);
    expect(statSync(`${file}.1`).size).toBe(8 * MB);
    expect(clock.pending()).toBe(0);
  }
});

test('openOutput() bounds a program that writes as fast as it can, and leaves our thread free', async () => {
  const file = join(folder, 'flood.log');
  const output = openOutput(file, systemClock, silentLog);
  const child = Bun.spawn(['/bin/sh', '-c', 'head -c 1000000000 /dev/zero | tr "\\0" x'], {
    stdout: output.fd,
  });
  let turns = 0;
  const cancel = systemClock.every(5, () => turns++);
  const before = () => statSync(`${file}.1`, { throwIfNoEntry: false })?.size ?? 0;
  await child.exited;
  await until(() => statSync(file).size <= 8 * MB);
  cancel();
  expect(turns).toBeGreaterThan(10);
  expect(before()).toBe(8 * MB);
  await output.close();
});

test('openOutput() without room for a copy empties the file all the same', async () => {
  const clock = fakeClock();
  const file = join(folder, 'no-room.log');
  symlinkSync('/dev/full', `${file}.1`);
  const output = openOutput(file, clock, silentLog);
  writeSync(output.fd, Buffer.alloc(9 * MB, 'x'));
  clock.advance(250);
  await until(() => statSync(file).size === 0 && clock.pending() === 1);
  writeSync(output.fd, 'after');
  expect(output.tail(1)).toEqual(['after']);
  await output.close();
});

const id = (i: number) => String(i).padStart(22, '_');

test('adoptOutput() of a file that cannot be opened gives no lines, and throws nothing', async () => {
  const file = join(folder, 'taken.log');
  mkdirSync(file);
  const output = adoptOutput(file, fakeClock(), silentLog);
  expect(output.tail(3)).toEqual([]);
  await output.close();
});

test('pruneOutputs() deletes the oldest outputs of instances and nothing else', () => {
  const logs = join(folder, 'logs');
  pruneOutputs(logs, 4, silentLog);
  const put = (name: string, age: number) => {
    writeFileSync(join(logs, name), '');
    utimesSync(join(logs, name), age, age);
  };
  for (let i = 0; i < 6; i++) put(`${id(i)}-${i % 2 === 0 ? 'app.log' : 'signalling.log.1'}`, i);
  const foreign = [
    'notes.txt',
    'syslog.log',
    '0-app.log',
    `${id(0)}-app.log.gz`,
    `${id(0)}-other.log`,
    'auth.log.1',
  ];
  for (const name of foreign) put(name, 0);
  pruneOutputs(logs, 4, silentLog);
  const left = readdirSync(logs);
  expect(left).toHaveLength(4 + foreign.length);
  expect(left).not.toContain(`${id(1)}-signalling.log.1`);
  expect(left).toContain(`${id(2)}-app.log`);
  for (const name of foreign) expect(left).toContain(name);
});

test('pruneOutputs() passes over links, folders and what vanishes', () => {
  const logs = join(folder, 'odd');
  const kept = join(folder, 'kept.txt');
  writeFileSync(kept, 'not ours');
  pruneOutputs(logs, 0, silentLog);
  symlinkSync('/nowhere/at/all', join(logs, 'broken.log'));
  symlinkSync('/nowhere/at/all', join(logs, `${id(1)}-app.log`));
  symlinkSync(kept, join(logs, `${id(2)}-app.log`));
  mkdirSync(join(logs, `${id(3)}-app.log`));
  writeFileSync(join(logs, `${id(4)}-app.log`), '');
  pruneOutputs(logs, 0, silentLog);
  expect(readdirSync(logs)).toHaveLength(4);
  expect(readFileSync(kept, 'utf8')).toBe('not ours');
});
