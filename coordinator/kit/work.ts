import type { Log } from '../../shared/log.ts';

/** Work that takes longer than a moment and is looked at with every tick: never twice at a time, waited for at the end. */
export interface Background {
  tick(): void;
  /** Does this job now, or once more when it is under way: there may be something to do for it. */
  nudge(job: string): void;
  /** Starts nothing more; resolves when what is under way is done. */
  stop(): Promise<void>;
}

/** `jobs` by what they are called in the log. One that fails is done again at the next tick. */
export const createBackground = (
  log: Log,
  jobs: Readonly<Record<string, () => Promise<void>>>,
): Background => {
  const running = new Map<string, Promise<void>>();
  const again = new Set<string>();
  let stopped = false;
  const run = (name: string, job: () => Promise<void>) => {
    if (running.has(name)) return;
    again.delete(name);
    const done = job()
      .catch((error: unknown) => log.error({ error, job: name }, 'background work failed'))
      .finally(() => {
        running.delete(name);
        if (again.has(name) && !stopped) run(name, job);
      });
    running.set(name, done);
  };
  return {
    tick() {
      if (stopped) return;
      for (const [name, job] of Object.entries(jobs)) run(name, job);
    },
    nudge(name) {
      const job = jobs[name];
      if (stopped || job === undefined) return;
      again.add(name);
      run(name, job);
    },
    async stop() {
      stopped = true;
      await Promise.all(running.values());
    },
  };
};
