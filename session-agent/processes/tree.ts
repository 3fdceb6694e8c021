import { readdirSync, readFileSync } from 'node:fs';

/** A process and everything it started. */
export interface Tree {
  /** Whether any process of it is left. */
  alive(): boolean;
  /** Asks (SIGTERM) or forces (SIGKILL) every process of it to end. Harmless when none is left. */
  end(force: boolean): void;
}

const read = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

/** State letter and process group from /proc/<pid>/stat; the name before them may hold anything, brackets too. */
const statOf = (pid: string): { state: string; group: number } | undefined => {
  const stat = read(`/proc/${pid}/stat`);
  const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === undefined || group === undefined ? undefined : { state, group: Number(group) };
};

const signal = (pid: number, name: NodeJS.Signals) => {
  try {
    process.kill(pid, name);
  } catch (error) {
    // ESRCH: it has just ended. EPERM: it became another user's; it stays alive and whoever waits for it says so.
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
};

/**
 * The process group that `leader` leads, and whatever carries all of `marks` ("NAME=value") in its environment, so that a
 * grandchild which made a group of its own is found too. Zombies do not count: they hold nothing.
 */
export const linuxTree = (leader: number, marks: readonly string[]): Tree => {
  const marked = (pid: string) => {
    const environment = read(`/proc/${pid}/environ`).split('\0');
    return marks.every((mark) => environment.includes(mark));
  };
  const inGroup = (pid: number) => statOf(String(pid))?.group === leader;
  const members = (): number[] =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        const stat = statOf(pid);
        if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return false;
        return stat.group === leader || marked(pid);
      })
      .map(Number);
  return {
    alive: () => members().length > 0,
    end: (force) => {
      const name = force ? 'SIGKILL' : 'SIGTERM';
      const all = members();
      // The group at one stroke, so that none can fork meanwhile; then those that left it.
      if (all.some(inGroup)) signal(-leader, name);
      for (const pid of all) if (!inGroup(pid)) signal(pid, name);
    },
  };
};

/** Windows' own way to end a process with its descendants; without /F windows are only asked to close. */
export const taskkillArguments = (pid: number, force: boolean): string[] => [
  '/PID',
  String(pid),
  '/T',
  ...(force ? ['/F'] : []),
];

/** `run` starts a program by its path and arguments; `alive` asks about the leader alone, which taskkill /T ends last. */
export const windowsTree = (leader: number, taskkill: string, run: (command: string[]) => void): Tree => ({
  alive: () => {
    try {
      return process.kill(leader, 0);
    } catch {
      return false;
    }
  },
  end: (force) => run([taskkill, ...taskkillArguments(leader, force)]),
});
