import { z } from 'zod';
import type { Cancel, Clock } from '../shared/clock.ts';
import { limits } from '../shared/limits.ts';
import type { Log } from '../shared/log.ts';
import { loose } from '../shared/protocol/message.ts';
import { type DialledWire, dial } from './dial.ts';

/** While something is expected: the app is starting, or has just died. */
const EXPECTING_MS = 50;
/** At first more often, so that an app that boots quickly is ready at once; signalling bears so many questions in a row. */
const EAGER_MS = 10;
const EAGER_ASKS = 100;
const WATCHING_MS = 1_000;
/** A signalling server that has not answered for so long is hung itself. */
const SILENT_MS = 15_000;
/** Signalling opens its ports within a tenth of a second; one that does not is asked less often. */
const REDIAL_MS = 10;
const QUICK_REDIALS = 50;
const PATIENT_REDIAL_MS = 100;
const CONNECT_MS = 2_000;
/** Windows tells of a closed port after two seconds, and Wine never: a port that is expected to open is dialled anew before. */
const QUICK_CONNECT_MS = 300;

const listSchema = loose('type', 'streamerList', { ids: z.array(z.string()) });
const LIST_STREAMERS = JSON.stringify({ type: 'listStreamers' });

export interface ObserverOptions {
  /** The player URL; called at each dial, because its token expires. */
  url(): string;
  streamer_id: string;
  clock: Clock;
  log: Log;
  /** Signalling took the connection, so its ports are open. */
  up(): void;
  /** The streamer appeared in the list. */
  registered(): void;
  /** The streamer is not in the list, though signalling answers. */
  unregistered(): void;
  /** Signalling has the connection but does not answer. */
  silent(): void;
}

/**
 * Learns from outside, as a player that subscribes to nothing, whether signalling is up and the streamer registered: so any
 * server that speaks the player protocol can stand there.
 */
export interface Observer {
  registered(): boolean;
  /** Whether signalling has said anything about it on this connection. */
  heard(): boolean;
  /** Asks often from now on, until the streamer has been seen registered. */
  expect(): void;
  close(): void;
}

const idsOf = (text: string): string[] | undefined => {
  try {
    return listSchema.parse(JSON.parse(text)).ids;
  } catch {
    return undefined;
  }
};

export const observe = (options: ObserverOptions): Observer => {
  const { streamer_id, clock, log } = options;
  let wire: DialledWire | undefined;
  let timer: Cancel = () => {};
  /** Undefined while signalling is away: then nobody knows. */
  let registered: boolean | undefined;
  let expecting = true;
  let eager = EAGER_ASKS;
  /** Time that it has been waited for an answer, as this program lived it: a pause of our own does not count. */
  let silent_ms = 0;
  let open = false;
  let closed = false;
  let redials = 0;

  const ask = () => {
    timer();
    if (silent_ms > SILENT_MS) {
      options.silent();
      return wire?.abandon('silent');
    }
    wire?.send(LIST_STREAMERS);
    const wait_ms = !expecting ? WATCHING_MS : eager-- > 0 ? EAGER_MS : EXPECTING_MS;
    silent_ms += wait_ms;
    timer = clock.after(wait_ms, ask);
  };
  const seen = (now: boolean) => {
    silent_ms = 0;
    if (now === registered) return;
    registered = now;
    expecting = !now;
    if (now) options.registered();
    else options.unregistered();
  };
  const connect = () => {
    wire = dial(
      {
        url: options.url(),
        frame_bytes: limits.frame_bytes,
        backlog_bytes: limits.browser_backlog_bytes,
        connect_ms: redials < QUICK_REDIALS ? QUICK_CONNECT_MS : CONNECT_MS,
        clock,
        log,
      },
      {
        open: () => {
          redials = 0;
          open = true;
          silent_ms = 0;
          options.up();
          ask();
        },
        frame: (frame) => {
          const ids = typeof frame === 'string' ? idsOf(frame) : undefined;
          if (ids !== undefined && !closed) seen(ids.includes(streamer_id));
        },
        closed: () => {
          timer();
          open = false;
          if (closed) return;
          registered = undefined;
          timer = clock.after(redials++ < QUICK_REDIALS ? REDIAL_MS : PATIENT_REDIAL_MS, connect);
        },
      },
    );
  };
  connect();
  return {
    registered: () => registered === true,
    heard: () => registered !== undefined,
    expect: () => {
      expecting = true;
      // While signalling is being dialled the timer is the next dial's.
      if (open && !closed) ask();
    },
    close: () => {
      closed = true;
      timer();
      wire?.abandon('not needed any more');
    },
  };
};
