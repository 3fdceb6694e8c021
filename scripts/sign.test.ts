import { expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { statementIn } from '../shared/release-signature.ts';
import { tinyProgram } from '../shared/testing/tiny-program.ts';

const sign = (...args: string[]) => {
  const { exitCode, stdout, stderr } = Bun.spawnSync(
    [process.execPath, join(import.meta.dir, 'sign.ts'), ...args],
    { stdout: 'pipe', stderr: 'pipe' },
  );
  return { code: exitCode, out: stdout.toString(), err: stderr.toString() };
};

test('sign() of release:sign signs what openssl has made the key for, and nothing that is no program of ours', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrina-sign-'));
  const [key, file, script] = ['release.pem', 'agent', 'script'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  Bun.spawnSync(['openssl', 'genpkey', '-algorithm', 'ed25519', '-out', key]);
  const release = { name: 'session-agent', platform: 'linux-x64', version: '2.0.0' };
  writeFileSync(file, tinyProgram({ release }));
  writeFileSync(script, '#!/bin/sh\necho 2.0.0\n');
  const { code, out } = sign('--key', key, file);
  expect(code).toBe(0);
  const published =
    Bun.spawnSync(['openssl', 'pkey', '-in', key, '-pubout']).stdout.toString().split('\n')[1] ?? '';
  expect(out).toContain(`update_key: ${published}\n`);
  expect(statementIn(readFileSync(`${file}.sig`), published)).toMatchObject(release);
  for (const [args, exit, says] of [
    [['--key', key, script], 1, 'is no program for'],
    [['--key', script, file], 1, 'cannot be used'],
    [[file], 2, 'Say with which key'],
    [['--key', key], 2, 'Say what to sign'],
    [['--nonsense'], 2, 'Usage:'],
  ] as const) {
    const ended = sign(...args);
    expect([ended.code, ended.err]).toEqual([exit, expect.stringContaining(says)]);
  }
  rmSync(folder, { recursive: true });
}, 60_000);
