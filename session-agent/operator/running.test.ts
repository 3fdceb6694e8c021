import { expect, test } from 'bun:test';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemIds } from '../../shared/ids.ts';
import { readAgentConfig } from '../config.ts';
import { testTerminal } from '../testing/terminal.ts';
import { prepare } from './running.ts';

test.each([
  [0o644, true],
  [0o640, true],
  [0o600, false],
] as const)('prepare() of a config.json with the rights %o warns of them: %p', async (mode, warns) => {
  using under = testTerminal();
  const file = join(under.folder, 'config.json');
  const config = {
    coordinator: 'http://127.0.0.1:9',
    server_name: 'host-1',
    key: 'sixteen characters',
    seats: 1,
    ports: { from: 24_000, to: 24_099 },
  };
  writeFileSync(file, JSON.stringify(config));
  chmodSync(file, mode);
  const read = await readAgentConfig(file);
  if ('problems' in read) throw new Error('the test is wrong');
  const listen = () => ({ port: 9, stop: async () => {} });
  const options = { file, config: read.value, ids: systemIds, listen, handOver: () => {} };
  const running = await prepare(options, under.terminal);
  await running.close();
  const logged = readFileSync(join(under.folder, 'logs', 'agent.log'), 'utf8');
  expect(logged.includes('others can read a secret')).toBe(warns);
  expect(logged.includes('sixteen')).toBeFalse();
});
