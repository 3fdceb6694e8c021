import type { Clock } from '../../../shared/clock.ts';
import { getTicket, isFailure, tellTrouble } from '../kit/api.ts';
import { type Link, type LinkEvent, nextLink, stepPatience } from './link.ts';
import type { Stream, StreamOptions } from './stream.ts';

export interface PlayerOptions {
  /** The video is put in here. */
  parent: HTMLElement;
  session: string;
  token: string;
  clock: Clock;
  random: () => number;
  onLink: (link: Link) => void;
  /** What the browser said when it could not show the picture; undefined when there is one. */
  onTrouble: (said: string | undefined) => void;
  /** Signalling is away for some seconds while the picture goes on, or is back. */
  onAway: (away: boolean) => void;
  /** The browser wants a click before it plays: call `play` from one. */
  onPlayRefused: () => void;
}

/** Epic's library is most of the site's code: fetched while the app starts, so that it is there when the app is ready. */
export const loadStream = () => import('./stream.ts');

/** Keeps the visitor connected to one session's stream while it is ready, a fresh ticket for every attempt. */
export class Player {
  readonly #options: PlayerOptions;
  #link: Link = { state: 'idle' };
  /** The stream whose picture is on screen, perhaps its last one, and the stream that is to replace it. */
  #shown: Stream | undefined;
  #coming: Stream | undefined;
  #attempt = new AbortController();
  #cancelWait: () => void = () => undefined;
  #muted = true;
  /** What the coordinator was told last. */
  #told: string | undefined;
  #closed = false;

  constructor(options: PlayerOptions) {
    this.#options = options;
  }

  /** The session's phase changed, or was seen again. */
  phase(ready: boolean): void {
    this.#on({ type: 'phase', ready });
  }

  /** The visitor asks for another try. */
  again(): void {
    this.#on({ type: 'again' });
  }

  /** The network came back: no reason to wait any longer. */
  hurry(): void {
    this.#on({ type: 'due' });
    this.#shown?.hurry();
  }

  play(): void {
    (this.#coming ?? this.#shown)?.play();
  }

  setMuted(muted: boolean): void {
    this.#muted = muted;
    this.#shown?.setMuted(muted);
    this.#coming?.setMuted(muted);
  }

  /** Ends everything and takes the picture away. */
  close(): void {
    this.#closed = true;
    this.#halt();
    this.#shown?.remove();
  }

  #on(event: LinkEvent): void {
    if (this.#closed) return;
    const { clock, random, onLink } = this.#options;
    const next = nextLink(this.#link, event, clock.monotonic(), random());
    if (next === this.#link) return;
    this.#link = next;
    if (next.state !== 'playing') this.#options.onAway(false);
    if (next.state === 'idle') this.#halt();
    if (next.state === 'connecting') void this.#connect(stepPatience(next.attempt));
    if (next.state === 'waiting') {
      this.#cancelWait = clock.after(next.wait_ms, () => this.#on({ type: 'due' }));
    }
    onLink(next);
  }

  /** Nothing is connected or under way afterwards; the last picture stays. */
  #halt(): void {
    this.#attempt.abort();
    this.#cancelWait();
    this.#coming?.remove();
    this.#coming = undefined;
    this.#shown?.close();
  }

  async #connect(step_timeout_ms: number): Promise<void> {
    this.#halt();
    const attempt = new AbortController();
    this.#attempt = attempt;
    performance.mark('vitrina:connect');
    const { session, token } = this.#options;
    const [ticket, code] = await Promise.all([
      getTicket(session, token, attempt.signal),
      loadStream().catch(() => undefined),
    ]);
    if (attempt.signal.aborted) return;
    if (isFailure(ticket) || code === undefined) return this.#on({ type: 'lost' });
    const { clock, random } = this.#options;
    const resuming = { ticket: (signal: AbortSignal) => getTicket(session, token, signal), clock, random };
    this.#open(code.Stream, {
      signalling_url: ticket.signalling_url,
      resuming: ticket.resumable ? resuming : undefined,
      muted: this.#muted,
      step_timeout_ms,
    });
  }

  #tell(said: string): void {
    this.#told = said;
    const { session, token } = this.#options;
    // Not waited for: nothing here depends on who reads it.
    void tellTrouble(session, token, said.slice(0, 500));
  }

  #open(Kind: typeof Stream, options: StreamOptions): void {
    const { parent, onPlayRefused, onAway, onTrouble } = this.#options;
    const stream = new Kind(parent, options, {
      onPlayRefused,
      onAway,
      onFirstFrame: () => {
        this.#shown?.remove();
        this.#shown = stream;
        this.#coming = undefined;
        onTrouble(undefined);
        this.#on({ type: 'first_frame' });
      },
      onLost: (why, thrown) => {
        onTrouble(thrown);
        // Each exception once, and why the page stopped trying.
        if (thrown !== undefined && thrown !== this.#told) this.#tell(thrown);
        this.#on({ type: 'lost' });
        if (this.#link.state === 'gave_up') this.#tell(thrown ?? why);
      },
    });
    this.#coming = stream;
  }
}
