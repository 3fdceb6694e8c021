import type { Clock } from '../shared/clock.ts';
import { type Refusal, refuse } from '../shared/errors.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { type DialledWire, dial } from './dial.ts';

const CONNECT_MS = 5_000;

export interface LocalPlayerEvents {
  open(): void;
  text(text: string): void;
  /** It is gone otherwise than by `close`: with signalling's code, or with a refusal where it never opened. */
  closed(how: { code: number; reason: string } | Refusal): void;
}

/** One player's connection to its session's signalling server, on this machine. */
export interface LocalPlayer {
  /** Whether it was taken. What is sent before the connection is open waits, within a bound. */
  send(text: string): boolean;
  close(code: number, reason: string): void;
}

const toText = (frame: string | Uint8Array): string =>
  typeof frame === 'string' ? frame : new TextDecoder().decode(frame);

export const openLocalPlayer = (
  url: string,
  { clock, log }: { clock: Clock; log: Log },
  events: LocalPlayerEvents,
): LocalPlayer => {
  /** What came before the socket was open; undefined afterwards. */
  let waiting: string[] | undefined = [];
  let waiting_bytes = 0;
  let over = false;
  const wire: DialledWire = dial(
    {
      url,
      frame_bytes: limits.frame_bytes,
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
        for (const text of early) wire.send(text);
      },
      frame(frame) {
        if (!over) events.text(toText(frame));
      },
      closed(code, reason) {
        if (over) return;
        over = true;
        events.closed(waiting === undefined ? { code, reason } : refuse('channel_refused', reason));
      },
    },
  );
  return {
    send(text) {
      if (over) return false;
      if (waiting === undefined) return wire.send(text);
      waiting_bytes += Buffer.byteLength(text);
      if (waiting_bytes > limits.browser_backlog_bytes) return false;
      waiting.push(text);
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
