import type { Clock } from '../shared/clock.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { dial } from './dial.ts';

const PATIENCE_MS = 2_000;

/**
 * Opens a player connection whose admission carries the streamer's ICE servers, and closes it when signalling has taken them:
 * an app that was started ahead of its session learns those of its session so. Resolves with whether it was taken.
 */
export const tellStreamer = (url: string, clock: Clock, log: Log): Promise<boolean> =>
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
