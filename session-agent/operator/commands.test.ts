import { describe, expect, setDefaultTimeout, test } from 'bun:test';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { understand } from '../../shared/command-line.ts';
import { lockFile } from '../../shared/lock.ts';
import { silentLog } from '../../shared/log.ts';
import { commandLine } from '../commands.ts';
import { readAgentConfig } from '../config.ts';
import { noteInstance } from '../instance-note.ts';
import { answering } from '../testing/answering.ts';
import { testTerminal } from '../testing/terminal.ts';
import { sleep } from '../wait.ts';
import { operate } from './commands.ts';

setDefaultTimeout(120_000);

const good = {
  coordinator: 'https://coordinator.example',
  server_name: 'host-1',
  key: 'sixteen characters',
  seats: 1,
  ports: { from: 24_000, to: 24_099 },
};

const withConfig = () => {
  const under = testTerminal({ clock: systemClock });
  const file = join(under.folder, 'config.json');
  writeFileSync(file, JSON.stringify(good));
  const run = async (...args: string[]): Promise<number> => {
    const asked = understand(commandLine, args);
    if ('code' in asked) throw new Error(asked.text);
    if (asked.name === 'run' || asked.name === 'doctor' || asked.name === 'signalling') {
      throw new Error(`${asked.name} is none of the operator's commands`);
    }
    return operate(asked, under.terminal);
  };
  return { ...under, file, run, [Symbol.dispose]: under[Symbol.dispose] };
};

describe('operate()', () => {
  test('operate() of many "apps add" and "apps remove" at once loses none', async () => {
    using under = withConfig();
    const names = Array.from({ length: 12 }, (_, number) => `App ${number}`);
    await Promise.all(names.map((name) => under.run('apps', 'add', name, process.execPath, '-x')));
    expect(under.complaints).toEqual([]);
    const apps = async () => {
      const read = await readAgentConfig(under.file);
      return 'value' in read ? read.value.apps.map(({ rc_name }) => rc_name).sort() : read.problems;
    };
    expect(await apps()).toEqual([...names].sort());
    await Promise.all(names.slice(1).map((name) => under.run('apps', 'remove', name)));
    expect(await apps()).toEqual(['App 0']);
  });

  test('operate() of "apps add" gives up when another command never ends, and leaves the file as it was', async () => {
    using under = withConfig();
    const lock = lockFile(`${under.file}.lock`);
    under.terminal.clock = under.clock;
    const code = under.run('apps', 'add', 'Loft', process.execPath);
    let over = false;
    void code.finally(() => {
      over = true;
    });
    while (!over) {
      under.clock.advance(1_000);
      await sleep(systemClock, 1);
    }
    lock?.release();
    expect([await code, under.complaints.join()]).toEqual([1, expect.stringContaining('Another command')]);
    expect(JSON.parse(readFileSync(under.file, 'utf8'))).toEqual(good);
  });

  for (const what of ['broken', 'missing'] as const) {
    test(`operate() of status and logs finds the running agent by a ${what} config.json`, async () => {
      using under = withConfig();
      const logs = join(under.folder, 'elsewhere');
      mkdirSync(logs);
      writeFileSync(join(logs, 'agent.log'), 'a line of the agent\n');
      writeFileSync(join(logs, 'i-1-app.log'), 'a line of the app\n');
      const stop = answering(under.file, { log_folder: logs });
      if (what === 'broken') writeFileSync(under.file, '{ "seats": ');
      else rmSync(under.file);
      expect(await under.run('status')).toBe(0);
      const said = under.said.join('\n');
      expect(said).toContain('session s-1');
      expect(said).toContain(`${under.file}:1: not valid JSON`);
      expect([await under.run('logs'), await under.run('logs', 's-1')]).toEqual([0, 0]);
      expect(under.written.join('')).toBe('a line of the agent\na line of the app\n');
      await stop();
      expect([await under.run('status'), under.complaints.join('\n')]).toEqual([
        1,
        expect.stringMatching(/No agent runs here[\s\S]*config\.json:1: /),
      ]);
    });
  }

  test('operate() without a config.json says how to come by one', async () => {
    using under = withConfig();
    rmSync(under.file);
    expect(await under.run('apps', 'add', 'Loft', process.execPath)).toBe(1);
    expect(under.complaints.join()).toContain('Make this machine a host first');
  });

  test('operate() of logs finds the output of a session that took a warm instance, when no agent runs', async () => {
    using under = withConfig();
    const log_folder = join(under.folder, 'logs');
    mkdirSync(log_folder);
    writeFileSync(join(log_folder, 'i-1-app.log'), 'a line of the app\n');
    noteInstance({ config: { log_folder }, log: silentLog }, 's-1', 'i-1');
    expect(await under.run('logs', 's-1')).toBe(0);
    expect(under.written.join('')).toBe('a line of the app\n');
    expect(await under.run('logs', '../logs/s-1')).toBe(1);
  });
});
