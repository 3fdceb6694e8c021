import { Flags, type PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';

/** What signalling says of its streamer in `config`: it only answers offers, as Unreal 4.27 does. */
const asksForOffer = (message: unknown): boolean =>
  typeof message === 'object' && message !== null && Reflect.get(message, 'browserSendOffer') === true;

/**
 * Makes the page offer where the app only answers, which is known when `config` comes. The library has asked for the list of
 * streamers by then, as for any other app; what comes of it is kept from it, because it would subscribe.
 */
export const offerWhereAsked = ({ signallingProtocol, config }: PixelStreaming): void => {
  const { transport } = signallingProtocol;
  const take = transport.onMessage;
  let offering = false;
  transport.onMessage = (text) => {
    const message: { type?: unknown } | null = JSON.parse(text);
    if (message?.type === 'config' && asksForOffer(message)) {
      offering = true;
      config.setFlagEnabled(Flags.BrowserSendOffer, true);
    }
    if (!offering || message?.type !== 'streamerList') take?.(text);
  };
};
