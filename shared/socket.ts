import type { ServerWebSocket, WebSocketHandler } from 'bun';
import { type Cancel, type Clock, systemClock } from './clock.ts';
import { errors, explain, type Refusal, refuse } from './errors.ts';
import { limits } from './limits.ts';
import type { Log } from './log.ts';
import type { Family, Handlers } from './protocol/message.ts';

export type Frame = string | Uint8Array;

/** The sending half of a socket. `send` says whether the frame was taken; a socket whose backlog is full is closed. */
export interface Wire {
  /** The peer's address, for logs. */
  readonly remote: string;
  send(frame: Frame): boolean;
  /** Bytes that were taken and wait unsent. */
  backlog(): number;
  /** Idempotent. A reason over 123 bytes is cut, not thrown at. */
  close(code: number, reason: string): void;
}

/**
 * The receiving half: what the program does with what arrives. `closed` is called exactly once, and no frame after it;
 * when this side closes, that happens inside `Wire.close` (or right after `connect` has returned).
 */
export interface Peer {
  frame(frame: Frame): void;
  closed(code: number, reason: string): void;
}

/** What `server.upgrade(request, { data })` is given: who will speak on the socket, and its bounds in bytes. */
export interface SocketData {
  connect(wire: Wire): Peer;
  frame_bytes: number;
  backlog_bytes: number;
  /** The peer's address as seen through proxies, for logs; that of the connection when left out. */
  remote?: string;
  /** Silence after which the peer is given up, in ms; 0 for never, `link_silence_ms` when left out. */
  silence_ms?: number;
  /** The handler's own notes; never given. */
  live?: { peer?: Peer; heard_ms: number; unwatch: Cancel; end?: { code: number; reason: string } };
}

/** A close reason that fits RFC 6455 without breaking a character. */
export const closeReason = (reason: string): string => {
  if (Buffer.byteLength(reason) <= limits.close_reason_bytes) return reason;
  const cut = Buffer.from(reason).subarray(0, limits.close_reason_bytes);
  return new TextDecoder().decode(cut).replace(/\uFFFD+$/, '');
};

/** How much of what a stranger sent may come back in an answer or a log line. */
const detail_characters = 200;

/** A stranger's text for answers and log lines: cut, and without what some readers take for the end of a line. */
const quoted = (text: string): string =>
  text.slice(0, detail_characters).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '_');

/** Codes an endpoint may send: 1000, 1001, 1003, 1007 to 1014 and the private range. Others become 1000. */
export const closeCode = (code: number): number =>
  code === 1000 ||
  code === 1001 ||
  code === 1003 ||
  (code >= 1007 && code <= 1014) ||
  (code >= 3000 && code <= 4999)
    ? code
    : 1000;

/** Closes with an error of the closed list: its code, and its text as the reason. */
export const closeWith = (wire: Wire, refusal: Refusal): void =>
  wire.close(errors[refusal.refused].close, explain(refusal));

const frameBytes = (frame: Frame): number =>
  typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length;

const remoteOf = ({ data, remoteAddress }: ServerWebSocket<SocketData>): string =>
  data.remote ?? remoteAddress;

const wireOf = (socket: ServerWebSocket<SocketData>): Wire => {
  let closed = false;
  const close = (code: number, reason: string) => {
    if (closed) return;
    closed = true;
    socket.close(closeCode(code), closeReason(reason));
  };
  return {
    remote: remoteOf(socket),
    close,
    backlog: () => (closed ? 0 : socket.getBufferedAmount()),
    send(frame) {
      if (closed || socket.readyState !== WebSocket.OPEN) return false;
      const dropped = socket.send(frame) === 0 && frameBytes(frame) > 0;
      if (!dropped && socket.getBufferedAmount() <= socket.data.backlog_bytes) return true;
      close(errors.too_slow.close, errors.too_slow.text);
      return false;
    },
  };
};

/**
 * Pings a socket and gives it up after `silence_ms` without a sign of life. Bun's own idle timeout cannot do this:
 * each successful send restarts it, so a dead peer that is being written to would live for as long as the kernel buffers.
 */
const watch = (socket: ServerWebSocket<SocketData>, clock: Clock): Cancel => {
  const { silence_ms = limits.link_silence_ms } = socket.data;
  if (silence_ms === 0) return () => {};
  const ping_ms = silence_ms / 5;
  return clock.every(ping_ms, () => {
    const silent_ms = clock.monotonic() - (socket.data.live?.heard_ms ?? 0);
    if (silent_ms >= silence_ms - ping_ms) socket.terminate();
    else socket.ping();
  });
};

/**
 * The only thing given to Bun's `websocket` option. It never throws: on Bun a throw inside a WebSocket handler can end
 * the process. Each socket brings its own peer in `data`. A peer that is dead without a FIN is closed within
 * `link_silence_ms`.
 */
export const socketHandler = (log: Log, clock: Clock = systemClock): WebSocketHandler<SocketData> => {
  const guarded = (socket: ServerWebSocket<SocketData>, run: () => void) => {
    try {
      run();
    } catch (error) {
      log.error({ error, remote: remoteOf(socket) }, 'a socket handler failed');
      socket.close(errors.internal.close, errors.internal.text);
    }
  };
  const heard = (socket: ServerWebSocket<SocketData>) => {
    if (socket.data.live !== undefined) socket.data.live.heard_ms = clock.monotonic();
  };
  return {
    maxPayloadLength: limits.link_frame_bytes,
    backpressureLimit: limits.link_backlog_bytes,
    closeOnBackpressureLimit: true,
    idleTimeout: 0,
    sendPings: false,
    perMessageDeflate: false,
    open: (socket) =>
      guarded(socket, () => {
        const live: SocketData['live'] = { heard_ms: clock.monotonic(), unwatch: watch(socket, clock) };
        socket.data.live = live;
        const peer = socket.data.connect(wireOf(socket));
        if (live.end === undefined) live.peer = peer;
        else peer.closed(live.end.code, live.end.reason);
      }),
    message: (socket, frame) => {
      heard(socket);
      guarded(socket, () => {
        if (frameBytes(frame) > socket.data.frame_bytes) {
          log.warn({ remote: remoteOf(socket), bytes: frameBytes(frame) }, 'a frame over the limit');
          socket.close(errors.frame_too_large.close, errors.frame_too_large.text);
        } else socket.data.live?.peer?.frame(frame);
      });
    },
    pong: heard,
    ping: heard,
    close: (socket, code, said) =>
      guarded(socket, () => {
        const { live } = socket.data;
        if (live === undefined) return;
        const reason = quoted(said);
        live.end = { code, reason };
        live.unwatch();
        live.peer?.closed(code, reason);
      }),
  };
};

/** What a door says about bad messages. A log of the program will do; so will two functions, which cost a socket less. */
export interface DoorLog {
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

export interface DoorOptions<F extends Family, Context> {
  family: F;
  handlers: Handlers<F, Context>;
  context: Context;
  wire: Wire;
  clock: Clock;
  log: DoorLog;
  /** Tells the sender what was wrong. Without it bad messages are answered by nothing (Pixel Streaming's way). */
  answer?: (refusal: Refusal, message: unknown) => void;
  /** Messages a second and burst; without it the socket is not rate-limited (the agent link). */
  rate?: { per_second: number; burst: number };
}

type Read = { name: string; message: Record<string, unknown> } | { refusal: Refusal; message?: unknown };

/** JSON text to an object that names a message of the family, without looking at the other fields. */
const read = (family: Family, frame: Frame): Read => {
  let message: unknown;
  try {
    message = JSON.parse(
      typeof frame === 'string' ? frame : new TextDecoder('utf-8', { fatal: true }).decode(frame),
    );
  } catch {
    return { refusal: refuse('malformed', 'not JSON') };
  }
  if (typeof message !== 'object' || message === null || Array.isArray(message)) {
    return { refusal: refuse('malformed', 'not a JSON object') };
  }
  const fields = message as Record<string, unknown>;
  const name = fields.type ?? fields.verb ?? fields.msg;
  if (typeof name !== 'string') return { refusal: refuse('malformed', 'no message name'), message };
  if (!Object.hasOwn(family, name)) return { refusal: refuse('unknown_verb', quoted(name)), message };
  return { name, message: fields };
};

/** Counts towards a limit within a minute; says whether the limit is passed. */
const minuteBudget = (clock: Clock, most: number) => {
  let start = clock.monotonic();
  let used = 0;
  return (): boolean => {
    if (clock.monotonic() - start >= 60_000) {
      start = clock.monotonic();
      used = 0;
    }
    return ++used > most;
  };
};

const tokenBucket = (clock: Clock, { per_second, burst }: { per_second: number; burst: number }) => {
  let tokens = burst;
  let last = clock.monotonic();
  return (): boolean => {
    const now = clock.monotonic();
    tokens = Math.min(burst, tokens + ((now - last) / 1000) * per_second);
    last = now;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
};

/**
 * The one place where bytes become messages: JSON, the row of the family, its schema, its handler run inside try.
 * Returns the function that takes each incoming frame; it never throws. Bad messages are logged once per kind and cost
 * the socket its life only after a budget; a flood costs it at once. `answer` is given the parsed object where there is
 * one, so that it can repeat an id; what it throws is logged.
 */
export const door = <F extends Family, Context>(
  options: DoorOptions<F, Context>,
): ((frame: Frame) => void) => {
  const { family, handlers, context, wire, clock, log, answer } = options;
  const overBudget = minuteBudget(clock, limits.bad_messages_per_minute);
  const admit = options.rate === undefined ? () => true : tokenBucket(clock, options.rate);
  const logged = new Set<string>();

  const reply = (refusal: Refusal, message: unknown) => {
    try {
      answer?.(refusal, message);
    } catch (error) {
      log.error({ error, remote: wire.remote, ...refusal }, 'an answer failed');
    }
  };
  const bad = (refusal: Refusal, message: unknown) => {
    if (!logged.has(refusal.refused)) log.warn({ remote: wire.remote, ...refusal }, 'bad message');
    logged.add(refusal.refused);
    reply(refusal, message);
    if (overBudget()) closeWith(wire, refuse('too_many_messages', 'bad ones'));
  };
  const failed = (error: unknown, name: string, message: unknown) => {
    log.error({ error, remote: wire.remote, message: name }, 'a message handler failed');
    reply(refuse('internal'), message);
  };

  return (frame) => {
    if (!admit()) return closeWith(wire, refuse('too_many_messages'));
    const found = read(family, frame);
    if ('refusal' in found) return bad(found.refusal, found.message);
    const { name, message } = found;
    const parsed = family[name]?.safeParse(message);
    if (parsed?.success !== true) {
      const issue = parsed?.error.issues[0];
      const where = [name, ...(issue?.path ?? [])].map(String).join('.');
      return bad(refuse('malformed', quoted(`${where}: ${issue?.message ?? ''}`)), message);
    }
    const handle = handlers[name as keyof F] as (message: unknown, context: Context) => void | Promise<void>;
    try {
      const done = handle(parsed.data, context);
      if (done instanceof Promise) done.catch((error: unknown) => failed(error, name, message));
    } catch (error) {
      failed(error, name, message);
    }
  };
};
