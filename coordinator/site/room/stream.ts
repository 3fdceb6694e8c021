import {
  Config,
  Flags,
  Logger,
  LogLevel,
  PixelStreaming,
} from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import type { CarrierOptions } from './carrier.ts';
import { type Carried, carry } from './carry.ts';
import { offerWhereAsked } from './offering.ts';

export interface StreamEvents {
  onFirstFrame: () => void;
  /** The connection is of no more use; called at most once, and not after `close`. `thrown` is the browser's own error. */
  onLost: (why: string, thrown?: string) => void;
  /** The browser wants a click before it plays, even muted (power saving). Call `play` from that click. */
  onPlayRefused: () => void;
  /** Signalling is away while the picture goes on, or is back. */
  onAway: (away: boolean) => void;
}

/** The bench reads these marks; see tests/bench. */
const mark = (name: string): void => {
  performance.mark(`vitrina:${name}`);
};

/** Every setting that the page relies on. A session has one streamer, which the library takes without being told its id. */
const configFor = (muted: boolean, resuming: boolean): Config =>
  new Config({
    useUrlParams: false,
    initialSettings: {
      WaitForStreamer: true,
      AutoConnect: false,
      AutoPlayVideo: true,
      StartVideoMuted: muted,
      HoveringMouse: true,
      MatchViewportRes: false,
      // Tab must reach the controls and F5 must reload, so the browser's own keys stay the browser's.
      SuppressBrowserKeys: false,
      // Reconnecting is the page's: every attempt needs a ticket, and tickets are fetched asynchronously.
      MaxReconnectAttempts: 0,
      // Of a cut that is being mended the library would think that signalling is dead: the channel looks for itself.
      ...(resuming ? { KeepaliveDelay: 0 } : {}),
    },
  });

export interface StreamOptions {
  signalling_url: string;
  /** How to come back to signalling that was cut off; undefined where the host cannot keep it. */
  resuming: CarrierOptions | undefined;
  muted: boolean;
  /** How long each step may take (signalling open, media connected, first picture) before the attempt counts as failed. */
  step_timeout_ms: number;
}

/**
 * One connection to a streamer through Epic's frontend library, from a signalling URL whose ticket opens one socket.
 * A reconnection is a new Stream. After `close` the last picture stays until `remove`, to be seen while another one comes.
 */
export class Stream {
  readonly #element = document.createElement('div');
  readonly #library: PixelStreaming;
  readonly #events: StreamEvents;
  readonly #step_timeout_ms: number;
  readonly #carried: Carried | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  constructor(
    parent: HTMLElement,
    { signalling_url, resuming, muted, step_timeout_ms }: StreamOptions,
    events: StreamEvents,
  ) {
    Logger.InitLogging(LogLevel.Error, false);
    this.#events = events;
    this.#step_timeout_ms = step_timeout_ms;
    // With this class the library leaves the element's style alone (it writes a style attribute, which a strict
    // content security policy forbids).
    this.#element.className = 'stream fixed-size';
    parent.append(this.#element);
    this.#library = new PixelStreaming(configFor(muted, resuming !== undefined), {
      videoElementParent: this.#element,
    });
    this.#library.setSignallingUrlBuilder(() => signalling_url);
    offerWhereAsked(this.#library);
    const { transport } = this.#library.signallingProtocol;
    this.#carried = resuming && carry(transport, resuming, (away) => this.#closed || events.onAway(away));
    window.addEventListener('pagehide', this.#leave);
    window.addEventListener('error', this.#threw);
    window.addEventListener('unhandledrejection', this.#threw);
    this.#listen();
    this.#watch();
    this.#library.connect();
  }

  readonly #leave = () => this.#carried?.leave();

  /** The library lets through what the browser throws at it: then it waits for what does not come any more. */
  readonly #threw = (event: ErrorEvent | PromiseRejectionEvent) => {
    const thrown: unknown = 'reason' in event ? event.reason : event.error;
    if (!(thrown instanceof Error)) return;
    this.#lose('the browser threw', `${thrown.name}: ${thrown.message}`);
  };

  #unwatch(): void {
    clearTimeout(this.#timer);
    window.removeEventListener('error', this.#threw);
    window.removeEventListener('unhandledrejection', this.#threw);
  }

  /** The network came back: no reason to wait any longer. */
  hurry(): void {
    this.#carried?.hurry();
  }

  #listen(): void {
    const library = this.#library;
    library.signallingProtocol.transport.addListener('open', () => this.#reached('signalling-open'));
    library.addEventListener('webRtcConnected', () => {
      this.#reached('ice-connected');
      const { peerConnection } = library.webRtcController.peerConnectionController;
      peerConnection.addEventListener('connectionstatechange', () => {
        if (peerConnection.connectionState === 'failed') this.#lose('the media connection failed');
      });
    });
    library.addEventListener('webRtcDisconnected', ({ data }) =>
      this.#lose(`signalling: ${data.eventString}`),
    );
    library.addEventListener('webRtcFailed', () => this.#lose('no media connection could be set up'));
    library.addEventListener('subscribeFailed', ({ data }) => this.#lose(`subscribe: ${data.message}`));
    library.addEventListener('streamerListMessage', ({ data }) => {
      // With MaxReconnectAttempts 0 the library asks for the list once only.
      if (!data.autoSelectedStreamerId) this.#lose('the streamer is not registered');
    });
    library.addEventListener('playStreamRejected', () => this.#events.onPlayRefused());
    const video = this.#video;
    video.addEventListener('resize', () => library.webRtcController.resizePlayerStyle());
    video.addEventListener('loadeddata', () => this.#firstFrame(), { once: true });
    video.requestVideoFrameCallback(() => this.#closed || mark('first-frame'));
  }

  get #video(): HTMLVideoElement {
    return this.#library.webRtcController.videoPlayer.getVideoElement();
  }

  #reached(step: string): void {
    if (this.#closed) return;
    mark(step);
    this.#watch();
  }

  #firstFrame(): void {
    if (this.#closed) return;
    this.#unwatch();
    this.#events.onFirstFrame();
  }

  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      // A tab in the background may not be given pictures at all.
      if (document.hidden) this.#watch();
      else this.#lose('no picture came in time');
    }, this.#step_timeout_ms);
  }

  #lose(why: string, thrown?: string): void {
    if (this.#closed) return;
    this.close();
    this.#events.onLost(why, thrown);
  }

  /** To be called from a click or key, after `onPlayRefused`. */
  play(): void {
    this.#library.play();
  }

  setMuted(muted: boolean): void {
    // For when the library plays the video later.
    this.#library.config.setFlagEnabled(Flags.StartVideoMuted, muted);
    this.#video.muted = muted;
    // Sound that comes in a stream of its own has its own element.
    const { audioElement } = this.#library.webRtcController.streamController;
    audioElement.muted = muted;
    if (!muted && audioElement.srcObject !== null)
      audioElement.play().catch(() => this.#events.onPlayRefused());
  }

  /** Ends both connections and takes the hands off keyboard, mouse and touch. The last picture stays. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unwatch();
    window.removeEventListener('pagehide', this.#leave);
    for (const input of [Flags.KeyboardInput, Flags.MouseInput, Flags.TouchInput, Flags.GamepadInput]) {
      this.#library.config.setFlagEnabled(input, false);
    }
    this.#keepPicture();
    this.#library.disconnect();
    // The library would go on asking the connection that it has just dropped.
    clearInterval(this.#library.webRtcController.statsTimerHandle);
  }

  /** A video goes black with its connection; a copy of its last frame does not. */
  #keepPicture(): void {
    const video = this.#video;
    if (video.readyState < video.HAVE_CURRENT_DATA) return;
    const still = document.createElement('canvas');
    still.width = video.videoWidth;
    still.height = video.videoHeight;
    still.getContext('2d')?.drawImage(video, 0, 0);
    this.#element.append(still);
  }

  /** `close`, and the picture too. */
  remove(): void {
    this.close();
    this.#library.webRtcController.destroyVideoPlayer();
    this.#element.remove();
  }
}
