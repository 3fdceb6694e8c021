import type { Clock } from '../shared/clock.ts';
import { errors, explain, refuse } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { closeCode, closeReason, closeWith, type Frame, type Peer, type Wire } from '../shared/socket.ts';

/** A peer that does not answer a close within this time is left without an answer. */
const CLOSING_MS = 2_000;

/** The receiving half of a connection that this program opens itself. */
export interface DialledPeer extends Peer {
  open(): void;
}

export interface DialOptions {
  url: string;
  headers?: Record<string, string>;
  /** An HTTP proxy, `http://[user:password@]host:port`: the connection goes through it by CONNECT. */
  proxy?: string | undefined;
  /** PEM: only these authorities are trusted, instead of the system's. */
  ca?: string | undefined;
  /** A larger incoming frame closes the connection with 1009. */
  frame_bytes: number;
  /** More than this waiting unsent closes the connection as too slow. */
  backlog_bytes: number;
  /** How long the connection may take to open, in ms. */
  connect_ms: number;
  clock: Clock;
  log: Log;
}

export interface DialledWire extends Wire {
  /** Bytes taken but not yet sent. (Bun 1.4.5's client counts them right; 1.3 always said 0.) */
  backlog(): number;
  /** Ends it now, without the closing handshake that a dead peer would never answer. */
  abandon(reason: string): void;
}

const toFrame = (data: unknown): Frame => (data instanceof ArrayBuffer ? new Uint8Array(data) : String(data));

/**
 * Opens a WebSocket and drives `peer`; the only place that knows Bun's WebSocket client. `peer.closed` is called exactly
 * once, also when the connection never opened, with the cause as reason then. It never throws.
 */
export const dial = (options: DialOptions, peer: DialledPeer): DialledWire => {
  const { url, headers, proxy, ca, clock, log } = options;
  const socket = new WebSocket(url, {
    ...(headers === undefined ? {} : { headers }),
    ...(proxy === undefined ? {} : { proxy }),
    // Whatever the environment says: who is not verified is not spoken to.
    tls: { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
  });
  socket.binaryType = 'arraybuffer';
  let cause = '';
  let closing = false;
  let over = false;

  const guarded = (run: () => void) => {
    try {
      run();
    } catch (error) {
      log.error({ error }, 'a socket handler failed');
      wire.close(errors.internal.close, errors.internal.text);
    }
  };
  const finish = (code: number, reason: string) => {
    if (over) return;
    over = true;
    cancel();
    guarded(() => peer.closed(code, reason));
  };
  const wire: DialledWire = {
    remote: new URL(url).host,
    backlog: () => socket.bufferedAmount,
    send(frame) {
      if (over || socket.readyState !== WebSocket.OPEN) return false;
      socket.send(frame);
      if (socket.bufferedAmount <= options.backlog_bytes) return true;
      closeWith(wire, refuse('too_slow'));
      return false;
    },
    close(code, reason) {
      if (over || closing) return;
      closing = true;
      cancel();
      cancel = clock.after(CLOSING_MS, () => wire.abandon('no closing handshake'));
      socket.close(closeCode(code), closeReason(reason));
    },
    abandon(reason) {
      socket.terminate();
      finish(1006, reason);
    },
  };
  let cancel = clock.after(options.connect_ms, () =>
    wire.abandon(`no answer within ${options.connect_ms} ms`),
  );

  socket.onopen = () =>
    guarded(() => {
      cancel();
      peer.open();
    });
  socket.onmessage = ({ data }) =>
    guarded(() => {
      const frame = toFrame(data);
      const bytes = typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length;
      if (over) return;
      if (bytes > options.frame_bytes)
        wire.close(errors.frame_too_large.close, explain(refuse('frame_too_large')));
      else peer.frame(frame);
    });
  socket.onerror = (event) => {
    cause = 'message' in event ? String(event.message) : '';
  };
  socket.onclose = ({ code, reason }) => finish(code, reason === '' ? cause : reason);
  return wire;
};
