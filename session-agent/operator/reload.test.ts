import { expect, test } from 'bun:test';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLog } from '../../shared/log.ts';
import { type AgentConfig, readAgentConfig } from '../config.ts';
import { testTerminal } from '../testing/terminal.ts';
import { followConfig } from './reload.ts';

const good = {
  coordinator: 'https://coordinator.example',
  server_name: 'host-1',
  key: 'sixteen characters',
  seats: 1,
  ports: { from: 24_000, to: 24_099 },
};

const following = async () => {
  const under = testTerminal();
  const file = join(under.folder, 'config.json');
  const write = (config: object) => writeFileSync(file, JSON.stringify(config, null, 2));
  write(good);
  const read = await readAgentConfig(file);
  if ('problems' in read) throw new Error('the test is wrong');
  const applied: AgentConfig[] = [];
  const lines: { level: string; msg: string }[] = [];
  const reload = followConfig({
    file,
    config: read.value,
    clock: under.clock,
    log: createLog('test', 'debug', { write: (line) => lines.push(JSON.parse(line)) }),
    apply: async (config) => void applied.push(config),
  });
  return { ...under, file, write, applied, lines, reload, [Symbol.dispose]: under[Symbol.dispose] };
};

test('followConfig() takes good changes into force, once each, and leaves the last good one when the file is broken', async () => {
  using under = await following();
  const { write, applied, lines, reload, file } = under;
  await reload.look();
  expect(applied).toEqual([]);
  write({ ...good, seats: 2 });
  await reload.look();
  await reload.look();
  expect(applied.map(({ seats }) => seats)).toEqual([2]);
  write({ ...good, seats: 'many' });
  await reload.look();
  await reload.look();
  expect(applied).toHaveLength(1);
  expect(reload.problems()).toEqual([expect.stringContaining(`${file}:5 seats: `)]);
  expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  write({ ...good, seats: 3 });
  await reload.look();
  expect(applied.map(({ seats }) => seats)).toEqual([2, 3]);
  expect(reload.problems()).toEqual([]);
  reload.stop();
});

test('followConfig() looks by itself every two seconds', async () => {
  using under = await following();
  under.write({ ...good, seats: 2 });
  under.clock.advance(2_000);
  await under.reload.look();
  expect(under.applied).toHaveLength(1);
  under.reload.stop();
});

test('followConfig() keeps what the running agent cannot change, and says that it waits for a restart', async () => {
  using under = await following();
  const { write, applied, reload } = under;
  for (const change of [{ server_name: 'host-2' }, { log_folder: 'elsewhere' }]) {
    write({ ...good, seats: 2, ...change });
    await reload.look();
    expect(reload.problems()[0]).toContain(Object.keys(change)[0] ?? '');
  }
  expect(applied).toEqual([]);
  write({ ...good, seats: 2 });
  await reload.look();
  expect(reload.problems()).toEqual([]);
  expect(applied).toHaveLength(1);
  reload.stop();
});
