import { expect, test } from 'bun:test';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLog } from '../../shared/log.ts';
import { testTerminal } from '../testing/terminal.ts';
import { agent_log, openAgentLog } from './agent-log.ts';

const devNull = { write: () => {} };

test('openAgentLog() keeps lines in files that are bounded in size and number', () => {
  using under = testTerminal();
  const disk = openAgentLog(under.folder, 1_000);
  const log = createLog('session-agent', 'info', devNull, disk);
  for (let number = 0; number < 200; number++) log.info({ number }, 'a line');
  disk.close();
  log.info('after the end');
  const files = readdirSync(under.folder).sort();
  expect(files).toEqual([agent_log, `${agent_log}.1`, `${agent_log}.2`, `${agent_log}.3`]);
  for (const file of files) expect(statSync(join(under.folder, file)).size).toBeLessThan(1_300);
  const numbers = files.toReversed().flatMap((file) =>
    readFileSync(join(under.folder, file), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).number),
  );
  expect(numbers.at(-1)).toBe(199);
  expect(numbers).toEqual(numbers.map((_, at) => 200 - numbers.length + at));
  const again = openAgentLog(under.folder, 1_000);
  expect(again.errors()).toEqual([]);
  again.close();
});

test('openAgentLog() remembers the last warnings and errors with what they are about', () => {
  using under = testTerminal();
  const disk = openAgentLog(under.folder);
  const log = createLog('session-agent', 'info', devNull, disk);
  log.info('fine');
  for (let number = 0; number < 30; number++) log.warn(`warning ${number}`);
  log.error({ app: 'Loft', problem: 'no file', error: new Error('broken'), key: 'secret' }, 'a failure');
  log.warn('again');
  log.warn('again');
  const repeated = disk.errors().at(-1);
  expect(repeated).toMatchObject({ text: 'again', times: 2 });
  const errors = disk.errors().slice(0, -1);
  disk.close();
  expect(errors).toHaveLength(19);
  expect(errors[0]?.text).toBe('warning 12');
  expect(errors.at(-1)).toMatchObject({ level: 'error' });
  expect(errors.at(-1)?.text).toBe('a failure (app Loft, problem no file, error broken)');
});

test('openAgentLog() goes on when nothing can be written, says so once, and writes again when it can', () => {
  using under = testTerminal();
  const folder = join(under.folder, 'logs');
  const disk = openAgentLog(folder, 10);
  const log = createLog('session-agent', 'info', devNull, disk);
  log.info('a first line');
  rmSync(folder, { recursive: true });
  writeFileSync(folder, 'in the way');
  log.info('a second line');
  log.info('a third line');
  expect(disk.errors().map(({ text }) => text.includes('cannot be written'))).toEqual([true]);
  rmSync(folder);
  log.info('a fourth line');
  disk.close();
  expect(readFileSync(join(folder, agent_log), 'utf8')).toContain('a fourth line');
});
