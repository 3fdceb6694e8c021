import { afterAll, beforeAll, expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../../shared/clock.ts';
import { systemIds } from '../../shared/ids.ts';
import { silentLog } from '../../shared/log.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { sleep } from '../wait.ts';
import { bornOf } from './identity.ts';
import { adoptProgram, exitWord, type ProgramOrder, startProgram } from './program.ts';

setDefaultTimeout(120_000);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vitrina-program-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A shell script as a program; `said` waits for lines of its output. */
const start = (script: string, more: Partial<ProgramOrder> = {}, clock: Clock = systemClock) => {
  const output_file = join(folder, `${systemIds.id()}.log`);
  const program = startProgram(
    {
      command: ['/bin/sh', '-c', script],
      environment: { PATH: '/usr/bin:/bin' },
      marks: { VITRINA_INSTANCE: systemIds.id(), VITRINA_ROLE: 'app' },
      output_file,
      ...more,
    },
    clock,
    silentLog,
  );
  /** The lines that fit, as soon as there are so many. */
  const said = async (line: RegExp, count = 1): Promise<string[]> => {
    for (;;) {
      const found = program.tail(100).filter((text) => line.test(text));
      if (found.length >= count) return found;
      await sleep(systemClock, 10);
    }
  };
  return { program, said };
};

const alive = (pid: number) => {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

test('exited() says how a program ended', async () => {
  const ways = { 'exit 3': 'exit code 3', 'kill -9 $$': 'signal SIGKILL' };
  for (const [script, text] of Object.entries(ways)) {
    const { program } = start(script);
    expect((await program.exited).text).toBe(text);
    await program.stop(0);
  }
});

test('startProgram() passes path, arguments and folder on as a vector: no shell looks at them', async () => {
  const place = join(folder, 'Program Files & $HOME', '%PATH%');
  mkdirSync(place, { recursive: true });
  const path = join(place, 'My Game (x64).exe');
  writeFileSync(path, '#!/bin/sh\nprintf "[%s]\\n" "$0" "$PWD" "$@"\necho over\n', { mode: 0o755 });
  const hard = [
    '',
    ' ',
    'a b',
    '"',
    "'",
    '\\',
    'a\\"b c\\',
    '$(id)',
    '`id`',
    '%PATH%',
    '^&|<>',
    '*',
    '-a="b c"',
    'ö',
  ];
  const { program, said } = start('', { command: [path, ...hard], working_directory: place });
  await said(/^over$/);
  expect(await said(/^\[.*\]$/, hard.length + 2)).toEqual([path, place, ...hard].map((text) => `[${text}]`));
  await program.stop(0);
});

test('startProgram() throws what the operating system says, and leaves no open file', () => {
  expect(() => start('', { command: ['/nowhere/app'] })).toThrow('ENOENT');
  expect(() => start('', { working_directory: '/nowhere' })).toThrow('ENOENT');
});

test('startProgram() gives the child its own group, folder and variables, and no others', async () => {
  const { program, said } = start('pwd; env; ps -o pgid= -p $$', { working_directory: folder });
  await program.exited;
  expect(await said(/vitrina-program/)).toContain(folder);
  expect(program.tail(100).map((line) => line.trim())).toContain(String(program.pid));
  const names = program.tail(100).flatMap((line) => /^([A-Z_]+)=/.exec(line)?.[1] ?? []);
  expect(new Set(names)).toEqual(new Set(['PATH', 'PWD', 'VITRINA_INSTANCE', 'VITRINA_ROLE']));
  await program.stop(0);
});

test('stop() lets a program that obeys clear up', async () => {
  const done = join(folder, 'done');
  const { program, said } = start(
    `trap 'touch ${done}; exit 0' TERM; echo up; while true; do sleep 0.05; done`,
  );
  await said(/up/);
  await program.stop(20_000);
  expect(existsSync(done)).toBe(true);
  expect((await program.exited).text).toBe('exit code 0');
});

test('stop() kills the whole tree when nothing in it obeys: child, and child in a session of its own', async () => {
  const deaf = `trap "" TERM; echo $$; while true; do sleep 1; done`;
  const { program, said } = start(
    `trap "" TERM; sh -c '${deaf}' & setsid sh -c '${deaf}' & wait; while true; do sleep 1; done`,
  );
  const pids = (await said(/^\d+$/, 2)).map(Number);
  expect(pids.map(alive)).toEqual([true, true]);
  await Promise.all([program.stop(100), program.stop(100)]);
  expect([program.pid, ...pids].map(alive)).toEqual([false, false, false]);
});

test('stop() kills a grandchild in a session of its own that has dropped its environment, when asked and when forced', async () => {
  const deaf = `trap "" TERM; echo $$; while true; do sleep 1; done`;
  for (const grace_ms of [200, 0]) {
    const { program, said } = start(`env -i /usr/bin/setsid /bin/sh -c '${deaf}' & wait`);
    const pid = Number((await said(/^\d+$/))[0]);
    expect(alive(pid)).toBe(true);
    await program.stop(grace_ms);
    expect([program.pid, pid].map(alive)).toEqual([false, false]);
  }
});

/** A clock that runs, but for the regular looks: these come when told, and `count()` says how many timers they take. */
const lookClock = () => {
  const looks = fakeClock();
  const clock: Clock = { ...systemClock, every: looks.every };
  return { clock, look: () => looks.advance(1_000), count: () => looks.pending() };
};
/** Starts a sleeper that drops the environment, the group and, once the program has ended, the parent. */
const loseSleeper = (then: string) => `env -i /usr/bin/setsid /bin/sleep 100000 & echo $!; ${then}`;
const asleep = async (pid: number) => {
  while (!readFileSync(`/proc/${pid}/stat`, 'utf8').includes('(sleep)')) await sleep(systemClock, 5);
};

test('stop() kills a grandchild without marks whose parents ended before it, by a kill or by themselves', async () => {
  const go = join(folder, 'go');
  for (const killed of [true, false]) {
    const { clock, look, count } = lookClock();
    const { program, said } = start(
      loseSleeper(`while ! test -e ${go}; do sleep 0.05; done; exit 3`),
      {},
      clock,
    );
    const pid = Number((await said(/^\d+$/))[0]);
    await asleep(pid);
    look();
    if (killed) process.kill(program.pid, 'SIGKILL');
    else writeFileSync(go, '');
    expect((await program.exited).text).toBe(killed ? 'signal SIGKILL' : 'exit code 3');
    look();
    expect(alive(pid)).toBe(true);
    await program.stop(0);
    expect(alive(pid)).toBe(false);
    expect(count()).toBe(0);
  }
});

test('stop() of an adopted program kills a grandchild without marks whose parents ended since', async () => {
  const marks = { VITRINA_INSTANCE: systemIds.id() };
  const { program, said } = start(loseSleeper('sleep 100000'), { marks });
  const pid = Number((await said(/^\d+$/))[0]);
  await asleep(pid);
  const { identity, place } = await known(program.pid, marks);
  const { clock, count } = lookClock();
  const adopted = await adoptProgram(identity, place, clock, silentLog);
  await program.release();
  process.kill(program.pid, 'SIGKILL');
  await adopted.exited;
  await adopted.stop(0);
  expect(alive(pid)).toBe(false);
  expect(count()).toBe(0);
});

test('release() ends the looks, and the program runs on', async () => {
  const { clock, count } = lookClock();
  const { program } = start('sleep 100000', {}, clock);
  expect(count()).toBe(1);
  await program.release();
  expect(count()).toBe(0);
  expect(alive(program.pid)).toBe(true);
  process.kill(-program.pid, 'SIGKILL');
  await program.exited;
});

test('stop() leaves alone what has the same parent as the program', async () => {
  const bystander = Bun.spawn(['/bin/sleep', '1000'], { env: {} });
  const { program, said } = start('echo up; sleep 1000');
  await said(/up/);
  await program.stop(0);
  expect(alive(bystander.pid)).toBe(true);
  bystander.kill();
});

test('stop() clears away what a program left behind that has ended by itself', async () => {
  const { program } = start('sleep 1000 & echo $!; exit 0');
  await program.exited;
  const pid = Number(program.tail(1)[0]);
  expect(alive(pid)).toBe(true);
  await program.stop(0);
  expect(alive(pid)).toBe(false);
});

test('stop() with no grace cuts short a stop under way', async () => {
  const { program, said } = start('trap "" TERM; echo up; while true; do sleep 1; done');
  await said(/up/);
  const patient = program.stop(600_000);
  await program.stop(0);
  await patient;
  expect(alive(program.pid)).toBe(false);
});

test('stop() of a program that is gone leaves its successor of the same marks alone', async () => {
  const marks = { VITRINA_INSTANCE: systemIds.id() };
  const { program: first } = start('sleep 1000', { marks });
  await first.stop(0);
  const { program: second } = start('sleep 1000', { marks });
  await first.stop(0);
  expect(alive(second.pid)).toBe(true);
  await second.stop(0);
});

/** What another agent would know of that program. */
const known = async (pid: number, marks: Record<string, string>) => ({
  identity: { pid, born: (await bornOf(pid)) ?? '' },
  place: { environment: {}, marks, output_file: join(folder, `${systemIds.id()}.log`) },
});

test('adoptProgram() sees the end of a program that it did not start, and can end one', async () => {
  const marks = { VITRINA_INSTANCE: systemIds.id() };
  const { program } = start('sleep 1000', { marks });
  const { identity, place } = await known(program.pid, marks);
  const adopted = await adoptProgram(identity, place, systemClock, silentLog);
  expect(adopted.pid).toBe(program.pid);
  const again = await adoptProgram(identity, place, systemClock, silentLog);
  await adopted.stop(20_000);
  await again.exited;
  expect(alive(program.pid)).toBe(false);
  await again.stop(0);
});

test('adoptProgram() leaves a process alone that has got the number of one that ended', async () => {
  const marks = { VITRINA_INSTANCE: systemIds.id() };
  const { program: stranger } = start('sleep 1000');
  const { place } = await known(stranger.pid, marks);
  const adopted = await adoptProgram({ pid: stranger.pid, born: '1@before' }, place, systemClock, silentLog);
  expect((await adopted.exited).text).toContain('ended');
  await adopted.stop(0);
  expect(alive(stranger.pid)).toBe(true);
  await stranger.stop(0);
});

test('memory() adds up what a program and its children take', async () => {
  const { program, said } = start('sleep 1000 & echo up; wait');
  await said(/up/);
  const bytes = await program.memory();
  expect(bytes).toBeGreaterThan(500_000);
  expect(bytes).toBeLessThan(50_000_000);
  await program.stop(0);
});

test.each([
  [9, '9'],
  [259, '259'],
  [0xc0_00_00_05, '0xC0000005'],
])('exitWord() of %p is %p', (code, word) => {
  expect(exitWord(code)).toBe(word);
});
