import { expect, test } from 'bun:test';
import { jobName, linuxTree, no_group, windowsTree } from './tree.ts';

/** A job of these processes, which notes what is done to it. */
const jobOf = (pids: number[] | undefined, hears: boolean) => {
  const done: string[] = [];
  return {
    done,
    job: {
      pids: () => pids,
      ask: () => done.push('ask') > 0 && hears,
      end: () => void done.push('end'),
      memory: () => (pids ?? []).length * 1_000,
      close: () => void done.push('close'),
    },
  };
};

test('windowsTree() is the job of its leader: alive while one of it is or nobody can say, asked, then ended', async () => {
  const { job, done } = jobOf([4, 8], true);
  const tree = windowsTree(4, job);
  expect([tree.alive(), tree.end(false), tree.end(true), await tree.memory()]).toEqual([
    true,
    true,
    true,
    2_000,
  ]);
  expect(done).toEqual(['ask', 'end']);
  expect(windowsTree(4, jobOf([], false).job).alive()).toBeFalse();
  expect(windowsTree(4, jobOf(undefined, false).job).alive()).toBeTrue();
});

test('windowsTree() says when nobody can be asked, so that nobody waits for them', () => {
  expect(windowsTree(4, jobOf([4], false).job).end(false)).toBeFalse();
});

test('jobName() is one name for each process of each instance', () => {
  expect(jobName('i', 'app')).toBe('Global\\vitrina-i-app');
  expect(jobName('i', 'signalling')).toBe('Global\\vitrina-i-signalling');
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
