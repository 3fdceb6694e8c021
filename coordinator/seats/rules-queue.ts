/** Someone who waits for a seat of an app. Instants are epoch ms. */
export interface Waiting {
  readonly id: string;
  readonly state: 'waiting' | 'offered';
  readonly created_at: number;
  readonly seen_at: number;
  readonly claim_until: number | null;
}

export interface QueueSettings {
  /** How long an offered seat is kept. */
  readonly claim_ms: number;
  /** Who has not asked for its place for so long has gone. */
  readonly forgotten_ms: number;
  /** Who has asked for its place within this time is there. */
  readonly present_ms: number;
}

/** In the order of their coming. */
export const inOrder = <One extends Pick<Waiting, 'created_at' | 'id'>>(
  queue: readonly One[],
): readonly One[] => [...queue].sort((a, b) => a.created_at - b.created_at || (a.id < b.id ? -1 : 1));

export const isGone = (
  { state, seen_at, claim_until }: Waiting,
  now: number,
  settings: QueueSettings,
): boolean => (state === 'offered' ? (claim_until ?? 0) <= now : seen_at + settings.forgotten_ms <= now);

/** Whether a seat is kept back for this one: it has a claim that runs, or waits and is there. */
export const keepsSeat = (
  { state, seen_at, claim_until }: Waiting,
  now: number,
  settings: QueueSettings,
): boolean => (state === 'offered' ? (claim_until ?? 0) > now : seen_at + settings.present_ms > now);

/**
 * Whose turn it is: the first of those who wait, one for each free seat that is not offered to somebody already. `mayHave`
 * is asked in their order, of those with an offer first; whom it passes over keeps the place.
 */
export const nextOffers = (
  queue: readonly Waiting[],
  free: number,
  mayHave: (id: string) => boolean = () => true,
): readonly Waiting[] => {
  const offered = queue.filter(({ state }) => state === 'offered');
  for (const { id } of offered) mayHave(id);
  let left = free - offered.length;
  return inOrder(queue.filter(({ state }) => state === 'waiting')).filter(({ id }) => {
    if (left <= 0 || !mayHave(id)) return false;
    left -= 1;
    return true;
  });
};

/** How many of the free seats somebody who has not queued may take. */
export const freeForOthers = (queued: number, free: number): number => Math.max(0, free - queued);

/**
 * When the one at `position` (from 1) may expect a seat, if every session lasts as long as it may: epoch ms, or null when
 * more people wait than sessions run. People often leave earlier, so it is the latest honest time.
 */
export const expectedAt = (position: number, ends: readonly number[]): number | null =>
  ends.toSorted((a, b) => a - b)[position - 1] ?? null;
