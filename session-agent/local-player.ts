import type { Clock } from '../shared/clock.ts';
import { type Refusal, refuse } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { channel_header_bytes } from '../shared/protocol/player-channel.ts';
import type { Frame } from '../shared/socket.ts';
import { type DialledWire, dial } from './dial.ts';

const CONNECT_MS = 5_000;

export interface LocalPlayerEvents {
  open(): void;
  frame(frame: Frame): void;
  /** It is gone otherwise than by `close`: with signalling's code, or with a refusal where it never opened. */
  closed(how: { code: number; reason: string } | Refusal): void;
}

/** One player's connection to its session's signalling server, on this machine. */
export interface LocalPlayer {
  /** Whether it was taken. What is sent before the connection is open waits, within a bound. */
  send(frame: Frame): boolean;
  close(code: number, reason: string): void;
}

export const openLocalPlayer = (
  url: string,
  { clock, log }: { clock: Clock; log: Log },
  events: LocalPlayerEvents,
): LocalPlayer => {
  /** What came before the socket was open; undefined afterwards. */
  let waiting: Frame[] | undefined = [];
  let waiting_bytes = 0;
  let over = false;
  const wire: DialledWire = dial(
    {
      url,
      frame_bytes: limits.frame_bytes + channel_header_bytes,
      backlog_bytes: limits.browser_backlog_bytes,
      connect_ms: CONNECT_MS,
      clock,
      log,
    },
    {
      open() {
        if (over) return;
        const early = waiting ?? [];
        waiting = undefined;
        events.open();
        for (const frame of early) wire.send(frame);
      },
      frame(frame) {
        if (!over) events.frame(frame);
      },
      closed(code, reason) {
        if (over) return;
        over = true;
        events.closed(waiting === undefined ? { code, reason } : refuse('channel_refused', reason));
      },
    },
  );
  return {
    send(frame) {
      if (over) return false;
      if (waiting === undefined) return wire.send(frame);
      waiting_bytes += Buffer.byteLength(frame);
      if (waiting_bytes > limits.browser_backlog_bytes) return false;
      waiting.push(frame);
      return true;
    },
    close(code, reason) {
      if (over) return;
      over = true;
      if (waiting === undefined) wire.close(code, reason);
      else wire.abandon(reason);
    },
  };
};
