/** Stops a timer; calling it twice is harmless. */
export type Cancel = () => void;

/** The only source of time in the programs: wall clock, monotonic clock and timers. Tests pass `fakeClock()`. */
export interface Clock {
  /** Milliseconds since the Unix epoch. For records and tokens. */
  now(): number;
  /** Milliseconds from an arbitrary start that never jump. For durations and liveness. */
  monotonic(): number;
  /** Calls `run` once after `ms` milliseconds. */
  after(ms: number, run: () => void): Cancel;
  /** Calls `run` every `ms` milliseconds until cancelled. */
  every(ms: number, run: () => void): Cancel;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  every: (ms, run) => {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};
