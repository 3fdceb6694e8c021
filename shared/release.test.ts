import { describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isOlder, isVersion, markOf, releaseIn } from './release.ts';
import { tinyProgram } from './testing/tiny-program.ts';

const release = { name: 'session-agent', platform: 'linux-x64', version: '1.2.0-rc.1+build.5' };
const mark = Buffer.from(markOf(release));

/** The head of a Windows program for that machine. */
const windows = (machine: number): Buffer => {
  const head = Buffer.alloc(256);
  head.write('MZ');
  head.writeUInt32LE(128, 0x3c);
  head.write('PE\0\0', 128, 'latin1');
  head.writeUInt16LE(machine, 132);
  return head;
};

const read = (bytes: Uint8Array) => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-release-'));
  const file = join(folder, 'program');
  writeFileSync(file, bytes);
  const found = releaseIn(file);
  rmSync(folder, { recursive: true });
  return found;
};

describe('releaseIn()', () => {
  test('releaseIn() finds the mark wherever it stands, over the edge of two pieces too', () => {
    for (const before of [0, 1_048_576 - 300, 1_048_576 * 2]) {
      expect(read(Buffer.concat([tinyProgram({}), Buffer.alloc(before), mark, mark]))).toEqual(release);
    }
    const other = { ...release, platform: 'windows-x64' };
    expect(read(Buffer.concat([windows(0x8664), Buffer.from(markOf(other))]))).toEqual(other);
  });

  test.each<[string, Uint8Array, string]>([
    ['an empty file', new Uint8Array(), 'no program for'],
    ['a script with a mark', Buffer.concat([Buffer.from('#!/bin/sh\n'.padEnd(100)), mark]), 'no program for'],
    ['a mark alone', mark, 'no program for'],
    ['the head of a program', tinyProgram({ release }).subarray(0, 63), 'no program for'],
    ['a truncated program', tinyProgram({ release }).subarray(0, -1), 'no program of Vitrina'],
    ['another machine', tinyProgram({ release, machine: 0xb7 }), 'no program for'],
    ['another machine with Windows', Buffer.concat([windows(0xaa64), mark]), 'no program for'],
    ['a program without a mark', tinyProgram({}), 'no program of Vitrina'],
    ['a mark of another platform', Buffer.concat([windows(0x8664), mark]), 'says that it is for linux-x64'],
    [
      'two marks',
      Buffer.concat([tinyProgram({ release }), Buffer.from(markOf({ ...release, version: '9.0.0' }))]),
      'several programs',
    ],
    [
      'a mark without a version',
      tinyProgram({ release: { ...release, version: 'new' } }),
      'no program of Vitrina',
    ],
  ])('releaseIn() refuses %s', (_, bytes, says) => {
    expect(read(bytes)).toEqual({ problem: expect.stringContaining(says) });
  });
});

test('isOlder() orders releases as semver does', () => {
  const ordered = ['0.9.0', '1.0.0-alpha', '1.0.0-rc.2', '1.0.0-rc.10', '1.0.0', '1.2.0', '1.10.0'];
  for (const [at, version] of ordered.entries()) {
    for (const [other_at, other] of ordered.entries()) {
      expect([version, other, isOlder(version, other)]).toEqual([version, other, at < other_at]);
    }
  }
  expect(isOlder('1.0.0+a', '1.0.0+b')).toBeFalse();
});

test('isVersion() takes what can be ordered and nothing else', () => {
  expect(['1.2.3', '9.8.7-test', '1.0.0-rc.1+x'].filter((text) => !isVersion(text))).toEqual([]);
  expect(['1.2', 'v1.2.3', '01.2.3', '1.2.3 ', '1.2.3}', ''].filter(isVersion)).toEqual([]);
});
