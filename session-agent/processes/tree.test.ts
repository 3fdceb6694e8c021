import { expect, test } from 'bun:test';
import { taskkillArguments, windowsTree } from './tree.ts';

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
