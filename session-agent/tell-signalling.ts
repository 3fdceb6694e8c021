import type { Clock } from '../shared/clock.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { dial } from './dial.ts';

const PATIENCE_MS = 2_000;

/**
 * Opens a player connection whose admission carries a word for signalling itself, and closes it when signalling has taken it: the
 * streamer's ICE servers, for an app that was started ahead of its session, or who was sent away. Resolves with whether it was taken.
 */
export const tellSignalling = (url: string, clock: Clock, log: Log): Promise<boolean> =>
  new Promise((resolve) => {
    const wire = dial(
      {
        url,
        frame_bytes: limits.frame_bytes,
        backlog_bytes: limits.browser_backlog_bytes,
        connect_ms: PATIENCE_MS,
        clock,
        log,
      },
      {
        open: () => {},
        // Whatever comes first was said after the admission had been read.
        frame: () => {
          resolve(true);
          wire.close(1000, 'told');
        },
        closed: () => resolve(false),
      },
    );
  });
