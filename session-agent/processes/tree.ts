import { type Census, takeCensus } from './census.ts';
import type { Job } from './job.ts';
import { isRunning } from './kernel32.ts';
import { environmentOf, readProc, type Stat } from './stat.ts';

/** A process and everything it started. */
export interface Tree {
  /** Whether any process of it is left. */
  alive(): boolean;
  /** Asks (SIGTERM) or forces (SIGKILL) every process of it to end. Harmless when none is left. False when nobody could be asked. */
  end(force: boolean): boolean;
  /** The memory that all of it takes (resident), in bytes. */
  memory(): Promise<number>;
}

export interface LinuxTree extends Tree {
  /** Remembers the group, those found before and all their descendants, so that they are found when their parents have ended. */
  look(census: Census): void;
}

/** No process group has this number: only marks count. */
export const no_group = -1;

const signal = (pid: number, name: NodeJS.Signals) => {
  try {
    process.kill(pid, name);
  } catch (error) {
    // ESRCH: it has just ended. EPERM: it became another user's; it stays alive and whoever waits for it says so.
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
};

const residentBytes = (pid: number): number => {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readProc(`/proc/${pid}/status`))?.[1];
  return Number(kilobytes ?? 0) * 1024;
};

/**
 * The process group that `leader` leads, whatever carries all of `marks` ("NAME=value") in its environment, and what descends
 * from these: so a grandchild is found that made a group of its own, and one that dropped its environment, too. Who was
 * found once stays a member when its parent ends before it.
 */
export const linuxTree = (leader: number, marks: readonly string[], take = takeCensus): LinuxTree => {
  const marked = (pid: number) => {
    const environment = environmentOf(pid);
    return marks.every((mark) => environment.includes(mark));
  };
  /** Those found before, with their birth: a number may be another's by now. */
  let found = new Map<number, string>();
  const follow = (
    { all, children }: Census,
    isRoot: (pid: number) => boolean = () => false,
  ): Map<number, Stat> => {
    const roots = [...all].filter(
      ([pid, { group, ticks }]) => group === leader || found.get(pid) === ticks || isRoot(pid),
    );
    const own = new Map(roots);
    // Grows while it is walked.
    for (const pid of own.keys()) {
      for (const child of children.get(pid) ?? []) {
        const stat = all.get(child);
        if (stat !== undefined) own.set(child, stat);
      }
    }
    found = new Map([...own].map(([pid, { ticks }]) => [pid, ticks]));
    return own;
  };
  const members = () => follow(take(), marked);
  /** The members; undefined when this machine's processes cannot be listed, for want of open files for one. */
  const known = (): [number, Stat][] | undefined => {
    try {
      return [...members()];
    } catch {
      return undefined;
    }
  };
  return {
    look: (census) => void follow(census),
    // Who cannot be seen counts as alive: else its seat would be given away under it.
    alive: () => known()?.length !== 0,
    end: (force) => {
      const name = force ? 'SIGKILL' : 'SIGTERM';
      const own = known();
      if (own === undefined) {
        if (leader !== no_group) signal(-leader, name);
        return true;
      }
      // The group at one stroke, so that none can fork meanwhile; then those that left it.
      if (own.some(([, { group }]) => group === leader)) signal(-leader, name);
      for (const [pid, { group }] of own) if (group !== leader) signal(pid, name);
      return true;
    },
    memory: async () => [...members().keys()].reduce((sum, pid) => sum + residentBytes(pid), 0),
  };
};

/** What Windows calls the job of an instance's process of that role. */
export const jobName = (instance: string, role: string): string => `Global\\vitrina-${instance}-${role}`;

/**
 * A tree on Windows: the job of the process, with all that it starts. Without one (nothing of it is left, or Windows refused it) there
 * is only `leader`, which is not asked.
 */
export const windowsTree = (leader: number, job: Job | undefined): Tree => ({
  // What Windows does not tell counts as alive: else its seat would be given away under it.
  alive: () => (job === undefined ? isRunning(leader) : job.pids()?.length !== 0),
  end(force) {
    if (!force) return job?.ask() ?? false;
    if (job !== undefined) job.end();
    else if (isRunning(leader)) signal(leader, 'SIGKILL');
    return true;
  },
  memory: async () => job?.memory() ?? 0,
});
