import { ChannelEnd, type Leg } from '../../../shared/channel-end.ts';
import type { Cancel, Clock } from '../../../shared/clock.ts';
import { errors } from '../../../shared/errors.ts';
import type { Ticket } from '../../../shared/protocol/http.ts';
import { type Answer, canRetry, isFailure } from '../kit/api.ts';

export interface CarrierEvents {
  /** The first connection is open. */
  open: () => void;
  text: (text: string) => void;
  /** Ended by the other side, or it cannot be resumed. Called once, and not after `leave`. */
  over: (code: number, reason: string) => void;
  /** The visitor may be told that the connection is away, or that it is back. */
  away: (away: boolean) => void;
}

export interface CarrierOptions {
  /** A pass for one more connection. */
  ticket: (signal: AbortSignal) => Promise<Answer<Ticket>>;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
}

const first_wait_ms = 250;
const longest_wait_ms = 2_000;
/** A connection that lived so long was good: the next wait is the shortest again. */
const good_ms = 5_000;
const connect_ms = 10_000;
/** A cut is not spoken of before: most are over by then. */
const unspoken_ms = 3_000;

/** How long to wait before attempt number `attempt` (0 is the first): full jitter, so that pages do not come back at once. */
export const redialWait = (attempt: number, random: number): number =>
  random * Math.min(longest_wait_ms, first_wait_ms * 2 ** Math.min(attempt, 10));

/** 22 characters that nobody can guess: 128 bits. */
const randomName = (): string =>
  btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .slice(0, 22);

/**
 * The page's end of a resumable player channel over WebSockets that come and go: it dials again, with a new ticket each
 * time, until the host has it back, the channel is over, or the coordinator refuses for good.
 */
export class Carrier {
  readonly #options: CarrierOptions;
  readonly #events: CarrierEvents;
  readonly #end: ChannelEnd;
  readonly #name = randomName();
  readonly #gone = new AbortController();
  #opened = false;
  #attempt = 0;
  #cancelWait: Cancel = () => {};
  /** Set from a cut on until the channel is there again. */
  #cancelNote: Cancel | undefined;
  #due: (() => void) | undefined;
  #spoken = false;

  constructor(options: CarrierOptions, events: CarrierEvents) {
    this.#options = options;
    this.#events = events;
    this.#end = new ChannelEnd('page', options.clock, {
      text: events.text,
      over: (code, reason) => this.#over(code, reason),
    });
  }

  /** Opens the first connection. One that does not open ends the channel: there is nothing yet to come back to. */
  connect(url: string): void {
    this.#dial(url);
  }

  get isOver(): boolean {
    return this.#gone.signal.aborted;
  }

  send(text: string): void {
    this.#end.say(text);
  }

  /** The network came back: no reason to wait any longer. */
  hurry(): void {
    this.#due?.();
  }

  /** Ends the channel for both ends. Idempotent. */
  leave(code: number, reason: string): void {
    if (this.isOver) return;
    this.#stop();
    this.#end.end(code, reason);
  }

  #stop(): void {
    this.#gone.abort();
    this.#cancelWait();
    this.#cancelNote?.();
    this.#due = undefined;
  }

  #over(code: number, reason: string): void {
    if (this.isOver) return;
    this.#stop();
    this.#end.end(code, reason);
    this.#events.over(code, reason);
  }

  #dial(url: string): void {
    const { clock } = this.#options;
    const address = new URL(url);
    address.searchParams.set('resumable', this.#name);
    const socket = new WebSocket(address);
    socket.binaryType = 'arraybuffer';
    const began = clock.monotonic();
    let done = false;
    const finish = (code: number, reason: string) => {
      if (done) return;
      done = true;
      cancel();
      this.#end.detach(leg);
      if (!this.isOver) this.#cut(clock.monotonic() - began >= good_ms, code, reason);
    };
    const leg: Leg = {
      send(frame) {
        if (done || socket.readyState !== WebSocket.OPEN) return false;
        socket.send(frame);
        return true;
      },
      drop(why, ended) {
        socket.close(ended ? 1000 : 4000, why);
        finish(4000, why);
      },
    };
    const cancel = clock.after(connect_ms, () => leg.drop('no answer in time', false));
    socket.onopen = () => {
      if (done) return;
      cancel();
      this.#end.attach(leg);
      if (!this.#opened) this.#events.open();
      this.#opened = true;
    };
    socket.onmessage = ({ data }) => {
      if (done || !(data instanceof ArrayBuffer)) return;
      this.#end.frame(leg, new Uint8Array(data));
      if (this.#end.attached) this.#settled();
    };
    socket.onclose = ({ code, reason }) => finish(code, reason);
  }

  /** The other end is there. */
  #settled(): void {
    this.#cancelNote?.();
    this.#cancelNote = undefined;
    if (this.#spoken) this.#events.away(false);
    this.#spoken = false;
  }

  #cut(good: boolean, code: number, reason: string): void {
    if (!this.#opened) {
      this.#over(code, reason);
      return;
    }
    const { clock, random } = this.#options;
    if (good) this.#attempt = 0;
    this.#cancelNote ??= clock.after(unspoken_ms, () => {
      this.#spoken = true;
      this.#events.away(true);
    });
    const wait_ms = redialWait(this.#attempt++, random());
    this.#due = () => {
      this.#due = undefined;
      this.#cancelWait();
      void this.#again();
    };
    this.#cancelWait = clock.after(wait_ms, this.#due);
  }

  async #again(): Promise<void> {
    const { signal } = this.#gone;
    const ticket = await this.#options.ticket(signal);
    if (signal.aborted) return;
    if (!isFailure(ticket)) {
      const { close, text } = errors.channel_lost;
      if (ticket.resumable) this.#dial(ticket.signalling_url);
      else this.#over(close, text);
      return;
    }
    // A page of somebody's proxy is no word of the coordinator's.
    if (ticket.failed === 'unreadable' || canRetry(ticket)) {
      this.#cut(false, errors.host_offline.close, ticket.failed);
      return;
    }
    const { close, text } = ticket.failed === 'unreachable' ? errors.host_offline : errors[ticket.failed];
    this.#over(close, text);
  }
}
