import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import { roles } from '../domain/journal.ts';
import { sleep } from '../wait.ts';
import { findJob } from './job.ts';
import { createdAt } from './kernel32.ts';
import { allPids, environmentOf, isLive, type Stat, statOf } from './stat.ts';
import { jobName, linuxTree, no_group } from './tree.ts';

const PATIENCE_MS = 5_000;
const POLL_MS = 50;

/** The variables by which an agent's children, and theirs, are told from other programs. */
export interface Marks {
  VITRINA_HOST: string;
  VITRINA_INSTANCE: string;
  VITRINA_ROLE: string;
}

/** A live process that carries the host's mark. */
export interface Marked extends Stat {
  pid: number;
  instance: string;
  role: string;
}

const entryOf = (environment: readonly string[], name: keyof Marks): string =>
  environment.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';

/** Every live process that carries the host's mark. None on Windows, where the environment of others cannot be read. */
export const markedProcesses = (host: string): Marked[] => {
  if (process.platform === 'win32') return [];
  return allPids().flatMap((pid) => {
    const environment = environmentOf(pid);
    if (entryOf(environment, 'VITRINA_HOST') !== host) return [];
    const stat = statOf(pid);
    if (!isLive(stat)) return [];
    const instance = entryOf(environment, 'VITRINA_INSTANCE');
    return [{ ...stat, pid, instance, role: entryOf(environment, 'VITRINA_ROLE') }];
  });
};

/** On Windows: the first process of the job of that instance and role. */
const leaderOfJob = (instance: string, role: string): number | undefined => {
  const job = findJob(jobName(instance, role));
  const born = (job?.pids() ?? []).map((pid) => ({ pid, at: BigInt(createdAt(pid) ?? 0) }));
  job?.close();
  return born.filter(({ at }) => at > 0n).sort((a, b) => Number(a.at - b.at))[0]?.pid;
};

/**
 * The process of that instance and role which the agent itself started: it leads a group and no marked process bore it. On Windows, where
 * none can be seen to be marked, the first of its job.
 */
export const leaderAmong = (
  marked: readonly Marked[],
  instance: string,
  role: string,
): number | undefined => {
  if (process.platform === 'win32') return leaderOfJob(instance, role);
  const own = marked.filter((one) => one.instance === instance && one.role === role);
  const leaders = own
    .filter(({ pid, group, parent }) => pid === group && !own.some((other) => other.pid === parent))
    .sort((a, b) => Number(a.ticks) - Number(b.ticks) || a.pid - b.pid);
  return leaders[0]?.pid;
};

/**
 * Kills every process that carries all of `marks` ("NAME=value"); resolves when none is left, or with a word in the log. On Windows those
 * of the jobs of the instance among `marks`.
 */
export const endMarked = async (marks: readonly string[], clock: Clock, log: Log): Promise<void> => {
  if (process.platform === 'win32') {
    for (const role of roles) {
      const job = findJob(jobName(entryOf(marks, 'VITRINA_INSTANCE'), role));
      job?.end();
      job?.close();
    }
    return;
  }
  const tree = linuxTree(no_group, marks);
  const deadline = clock.monotonic() + PATIENCE_MS;
  while (tree.alive()) {
    tree.end(true);
    if (clock.monotonic() > deadline) return log.error({ marks }, 'some processes cannot be killed');
    await sleep(clock, POLL_MS);
  }
};
