import { expect, test } from 'bun:test';
import { linuxTree, memory_script, memoryOfTree, no_group, taskkillArguments, windowsTree } from './tree.ts';

test('taskkillArguments() names the tree, and forces only when told', () => {
  expect(taskkillArguments(4_711, false)).toEqual(['/PID', '4711', '/T']);
  expect(taskkillArguments(4_711, true)).toEqual(['/PID', '4711', '/T', '/F']);
});

test('windowsTree() runs taskkill by its full path, and looks at the leader', () => {
  const commands: string[][] = [];
  const taskkill = 'C:\\Windows\\System32\\taskkill.exe';
  const tree = windowsTree(process.pid, taskkill, (command) => commands.push(command));
  tree.end(false);
  tree.end(true);
  expect(tree.alive()).toBe(true);
  expect(commands).toEqual([
    [taskkill, '/PID', String(process.pid), '/T'],
    [taskkill, '/PID', String(process.pid), '/T', '/F'],
  ]);
});

test('memoryOfTree() adds up a process and all that descends from it, in whatever order Windows lists them', () => {
  expect(memory_script).toContain('Win32_Process');
  const output = '30 20 4000\r\n10 1 1000\r\n20 10 2000\r\n40 1 9000\r\n0 0 8\r\n';
  expect(memoryOfTree(10, output)).toBe(7_000);
  expect(memoryOfTree(99, output)).toBe(0);
  expect(memoryOfTree(10, '')).toBe(0);
});

test('linuxTree() of processes that cannot be listed counts as alive, and its group is ended all the same', async () => {
  const blind = () => {
    throw new Error("EMFILE: too many open files, scandir '/proc'");
  };
  const child = Bun.spawn(['sleep', '600'], { detached: true, stdio: ['ignore', 'ignore', 'ignore'] });
  const tree = linuxTree(child.pid, [], blind);
  expect(tree.alive()).toBeTrue();
  await expect(tree.memory()).rejects.toThrow('too many open files');
  tree.end(true);
  await child.exited;
  expect(child.signalCode).toBe('SIGKILL');
  // Nobody's group: nothing is signalled, least of all process 1.
  const marked = linuxTree(no_group, ['A=b'], blind);
  marked.end(true);
  expect(marked.alive()).toBeTrue();
});
