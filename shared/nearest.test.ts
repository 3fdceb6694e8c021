import { expect, test } from 'bun:test';
import { nearest } from './nearest.ts';

test('nearest() finds what was most likely meant, and nothing where nothing is near', () => {
  const names = ['data', 'port', 'log_level', 'dry-run', 'secret_file', 'enroll', 'status'];
  const rows: [typed: string, name: string | undefined][] = [
    ['data', 'data'],
    ['dta', 'data'],
    ['prot', 'port'],
    ['Port', 'port'],
    ['log-level', 'log_level'],
    ['loglevel', 'log_level'],
    ['dry_run', 'dry-run'],
    ['secret', 'secret_file'],
    ['enrol', 'enroll'],
    ['stauts', 'status'],
    ['colour', undefined],
    ['x', undefined],
    ['', undefined],
  ];
  for (const [typed, name] of rows) expect([typed, nearest(typed, names)]).toEqual([typed, name]);
  expect(nearest('data', [])).toBeUndefined();
});
