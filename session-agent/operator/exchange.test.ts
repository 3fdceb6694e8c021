import { expect, setDefaultTimeout, test } from 'bun:test';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { systemClock } from '../../shared/clock.ts';
import { stateFolderOf } from '../config.ts';
import type { AgentStatus } from '../status.ts';
import { answering } from '../testing/answering.ts';
import { testTerminal } from '../testing/terminal.ts';
import { digestOf, exchange, swap } from './exchange.ts';

setDefaultTimeout(60_000);

const withAgent = () => {
  const under = testTerminal({ clock: systemClock });
  const [executable] = under.terminal.itself;
  const file = join(under.folder, 'config.json');
  writeFileSync(executable, '1.0.0');
  const agent: Partial<AgentStatus> = { version: '1.0.0', pid: 1 };
  let hand_overs = 0;
  // The service manager starts whatever is there by then.
  const stop = answering(file, agent, () => {
    hand_overs += 1;
    agent.version = readFileSync(executable, 'utf8');
    agent.pid = 1 + hand_overs;
  });
  const order = async (number: number) => {
    const fresh = `${executable}.${number}.new`;
    writeFileSync(fresh, '2.0.0');
    const replaces = await digestOf(executable);
    return { fresh, replaces, release: '2.0.0', state_folder: stateFolderOf(file), patience_ms: 30_000 };
  };
  return { ...under, executable, order, stop, handOvers: () => hand_overs };
};

test('exchange() of two identical updates at once hands over once and keeps the release before', async () => {
  const under = withAgent();
  const { executable, terminal } = under;
  const orders = [await under.order(1), await under.order(2)];
  const ended = await Promise.allSettled(orders.map((order) => exchange(order, terminal)));
  expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  const refused = ended.find((end) => end.status === 'rejected');
  expect(String(refused?.reason)).toContain('Another update was faster');
  expect(under.handOvers()).toBe(1);
  expect([executable, `${executable}.previous`].map((file) => readFileSync(file, 'utf8'))).toEqual([
    '2.0.0',
    '1.0.0',
  ]);
  expect(orders.some(({ fresh }) => existsSync(fresh))).toBeFalse();
  await under.stop();
  under[Symbol.dispose]();
});

test('exchange() without the new file changes nothing', async () => {
  const under = withAgent();
  const order = await under.order(1);
  rmSync(order.fresh);
  await expect(exchange(order, under.terminal)).rejects.toThrow('is gone. Nothing was changed');
  expect([under.handOvers(), existsSync(`${under.executable}.previous`)]).toEqual([0, false]);
  await under.stop();
  under[Symbol.dispose]();
});

test.each(['linux', 'win32'] as const)(
  'swap() keeps the executable before on %s, and replaces the one before that',
  (platform) => {
    using under = testTerminal({ platform });
    const [executable] = under.terminal.itself;
    writeFileSync(executable, '1.0.0');
    for (const release of ['2.0.0', '3.0.0']) {
      writeFileSync(`${executable}.new`, release);
      swap(`${executable}.new`, under.terminal);
    }
    expect(readFileSync(executable, 'utf8')).toBe('3.0.0');
    expect(readFileSync(`${executable}.previous`, 'utf8')).toBe('2.0.0');
    expect(existsSync(`${executable}.new`)).toBeFalse();
  },
);

test('swap() on Windows sets aside what cannot be removed, as a program that runs, and puts the new file in', () => {
  using under = testTerminal({ platform: 'win32' });
  const [executable] = under.terminal.itself;
  const previous = `${executable}.previous`;
  writeFileSync(executable, '1.0.0');
  writeFileSync(`${executable}.new`, '2.0.0');
  // No file: what cannot be removed as one.
  mkdirSync(previous);
  writeFileSync(join(previous, 'runs'), '');
  swap(`${executable}.new`, under.terminal);
  expect([executable, previous].map((file) => readFileSync(file, 'utf8'))).toEqual(['2.0.0', '1.0.0']);
  expect(existsSync(join(`${previous}.${process.pid}.old`, 'runs'))).toBeTrue();
});

test('swap() on Linux that cannot keep the executable has not lost the one before', () => {
  using under = testTerminal({ platform: 'linux' });
  const [executable] = under.terminal.itself;
  writeFileSync(`${executable}.previous`, '1.0.0');
  writeFileSync(`${executable}.new`, '3.0.0');
  // A folder has no second name.
  mkdirSync(executable);
  expect(() => swap(`${executable}.new`, under.terminal)).toThrow();
  expect(readFileSync(`${executable}.previous`, 'utf8')).toBe('1.0.0');
});

test('swap() after one that was cut off half-way leaves nothing but the two releases', () => {
  using under = testTerminal({ platform: 'linux' });
  const [executable] = under.terminal.itself;
  writeFileSync(executable, '1.0.0');
  linkSync(executable, `${executable}.previous`);
  writeFileSync(`${executable}.new`, '2.0.0');
  swap(`${executable}.new`, under.terminal);
  const names = readdirSync(dirname(executable)).filter((name) => name.startsWith(basename(executable)));
  expect(names.sort()).toEqual([basename(executable), `${basename(executable)}.previous`]);
});
