import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '../../shared/log.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { openOutput, pruneOutputs } from './output.ts';

setDefaultTimeout(30_000);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrina-output-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('openOutput() gives the last lines, and none once closed', () => {
  const clock = fakeClock();
  const output = openOutput(join(folder, 'a', 'app.log'), clock, silentLog);
  expect(output.tail(3)).toEqual([]);
  writeSync(output.fd, 'one\ntwo\r\nthree\nfour\n');
  expect(output.tail(3)).toEqual(['two', 'three', 'four']);
  output.close();
  output.close();
  expect(output.tail(3)).toEqual([]);
  expect(clock.pending()).toBe(0);
});

test('openOutput() keeps the file within its bound and what was written before beside it', () => {
  const clock = fakeClock();
  const file = join(folder, 'long.log');
  const output = openOutput(file, clock, silentLog);
  writeSync(output.fd, Buffer.alloc(9 * 1024 * 1024, 'x'));
  clock.advance(2_000);
  writeSync(output.fd, 'after');
  expect(readFileSync(file, 'utf8')).toBe('after');
  expect(statSync(`${file}.1`).size).toBe(9 * 1024 * 1024);
  output.close();
});

test('pruneOutputs() deletes the oldest logs and nothing else', () => {
  const logs = join(folder, 'logs');
  pruneOutputs(logs, 4);
  for (let i = 0; i < 6; i++) {
    const file = join(logs, `${i}-app.log`);
    writeFileSync(file, '');
    utimesSync(file, i, i);
  }
  writeFileSync(join(logs, 'notes.txt'), '');
  utimesSync(join(logs, 'notes.txt'), 0, 0);
  pruneOutputs(logs, 4);
  const left = readdirSync(logs);
  expect(left).toHaveLength(5);
  expect(left).not.toContain('1-app.log');
  expect(left).toContain('2-app.log');
  expect(left).toContain('notes.txt');
});
