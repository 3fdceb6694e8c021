/**
 * Which processes have spoken for one host. Each process of an agent draws a `life` when it starts. A life that was pushed
 * out and comes back while another one holds the link shows that both are alive: one identity on two machines. A restart
 * makes a new life and a redial repeats the one that holds the link, so neither ever looks like that.
 */
export interface Lives {
  readonly holder: string;
  /** Those that were pushed out while they held the link, the latest last. */
  readonly superseded: readonly string[];
}

/** Lives of one host that are remembered. */
const superseded_most = 16;

/** Whether `life` may not take the link over: it lost it to the one that `held` says holds it now. */
export const isSecondMachine = (lives: Lives | undefined, life: string, held: boolean): boolean =>
  held && lives !== undefined && lives.holder !== life && lives.superseded.includes(life);

/**
 * Whether `life` may be a second machine, as far as can be known when it comes: it pushes out another process that has not
 * hung up. So does an agent whose machine crashed and started again before that was noticed. One that draws no life tells
 * nothing of who it is.
 */
export const mayBeSecondMachine = (
  lives: Lives | undefined,
  life: string | undefined,
  held: boolean,
): boolean => held && (life === undefined || lives?.holder !== life);

/** The lives after `life` has taken the link over; `held`: from a connection that was still there. */
export const tookOver = (lives: Lives | undefined, life: string, held: boolean): Lives => {
  if (lives === undefined) return { holder: life, superseded: [] };
  if (lives.holder === life || !held) return { ...lives, holder: life };
  return { holder: life, superseded: [...lives.superseded, lives.holder].slice(-superseded_most) };
};
