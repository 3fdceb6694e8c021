/** The page's connection to the stream of a live session, and when it may try again. Pure: the page carries it out. */
export type Link =
  /** The session is not ready: nothing to connect to. */
  | { state: 'idle' }
  | { state: 'connecting'; attempt: number }
  | { state: 'playing'; attempt: number; since: number }
  | { state: 'waiting'; attempt: number; wait_ms: number }
  /** Tried often enough; a person decides. */
  | { state: 'gave_up' };

export type LinkEvent =
  | { type: 'phase'; ready: boolean }
  | { type: 'first_frame' }
  /** The signalling socket closed, the media failed, the ticket was refused, or no picture came in time. */
  | { type: 'lost' }
  /** The wait is over, or the network came back. */
  | { type: 'due' }
  /** The visitor pressed "Try again". */
  | { type: 'again' };

/** The wait before each further attempt; after the last one the page gives up. */
export const waits_ms = [250, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000] as const;

/** A connection that played this long was good: the next loss starts counting anew. A socket that merely opened was not. */
export const stable_ms = 10_000;

/**
 * How long each step of an attempt may take: signalling open, media connected, first picture. Whatever makes one
 * attempt slow makes the next one slow too, so a further attempt waits longer rather than throw away what it has.
 */
export const stepPatience = (attempt: number): number => Math.min(15_000 * 2 ** attempt, 60_000);

const lost = (attempt: number, random: number): Link => {
  const wait_ms = waits_ms[attempt];
  // A quarter either way, so that many pages do not come back to a restarted coordinator at the same instant.
  return wait_ms === undefined
    ? { state: 'gave_up' }
    : { state: 'waiting', attempt: attempt + 1, wait_ms: Math.round(wait_ms * (0.75 + random / 2)) };
};

/** `now` in ms of a clock that does not jump; `random` in [0, 1). */
export const nextLink = (link: Link, event: LinkEvent, now: number, random: number): Link => {
  switch (event.type) {
    case 'phase':
      if (!event.ready) return { state: 'idle' };
      return link.state === 'idle' ? { state: 'connecting', attempt: 0 } : link;
    case 'first_frame':
      return link.state === 'connecting' ? { state: 'playing', attempt: link.attempt, since: now } : link;
    case 'lost':
      if (link.state === 'connecting') return lost(link.attempt, random);
      if (link.state === 'playing') return lost(now - link.since >= stable_ms ? 0 : link.attempt, random);
      return link;
    case 'due':
      return link.state === 'waiting' ? { state: 'connecting', attempt: link.attempt } : link;
    case 'again':
      return link.state === 'gave_up' ? { state: 'connecting', attempt: 0 } : link;
  }
};
