import type { SignallingProtocol } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';
import { Carrier, type CarrierOptions } from './carrier.ts';

/** How the library sends and receives its signalling. */
type Transport = SignallingProtocol['transport'];

export interface Carried {
  /** The network came back. */
  hurry: () => void;
  /** The page is being left: says so, which the library does not. */
  leave: () => void;
}

/**
 * Puts a channel that survives cuts under the library, in place of its own WebSocket: on this very object, so that the library
 * notices nothing of a cut, and its peer connection goes on.
 */
export const carry = (
  transport: Transport,
  options: CarrierOptions,
  onAway: (away: boolean) => void,
): Carried => {
  let connecting = false;
  const closed = (code: number, reason: string) =>
    transport.emit('close', new CloseEvent('close', { code, reason }));
  const carrier = new Carrier(options, {
    open: () => transport.emit('open'),
    text: (text) => transport.onMessage?.(text),
    over: closed,
    away: onAway,
  });
  const leave = (code = 1000, reason = '') => {
    if (carrier.isOver) return;
    carrier.leave(code, reason);
    // As a socket would: after the call, not within it.
    queueMicrotask(() => closed(code, reason));
  };
  transport.connect = (url) => {
    connecting = true;
    carrier.connect(url);
    return true;
  };
  transport.sendMessage = (text) => carrier.send(text);
  transport.disconnect = leave;
  transport.isConnected = () => connecting && !carrier.isOver;
  return { hurry: () => carrier.hurry(), leave: () => leave(1000, 'the page was left') };
};
