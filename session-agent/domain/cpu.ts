/** Times that a processor has spent since the machine started, in any unit. */
export interface CpuTimes {
  readonly idle: number;
  readonly all: number;
}

/** The times of all processors together. */
export const cpuTimes = (cpus: readonly { readonly times: Readonly<Record<string, number>> }[]): CpuTimes =>
  cpus.reduce(
    ({ idle, all }, { times }) => ({
      idle: idle + (times.idle ?? 0),
      all: all + Object.values(times).reduce((sum, time) => sum + time, 0),
    }),
    { idle: 0, all: 0 },
  );

/** How busy the processors were between two readings; null when no time has passed, or a processor came or went. */
export const cpuPercent = (before: CpuTimes, after: CpuTimes): number | null => {
  const all = after.all - before.all;
  const idle = after.idle - before.idle;
  if (all <= 0 || idle < 0 || idle > all) return null;
  return Math.round((1 - idle / all) * 1_000) / 10;
};
