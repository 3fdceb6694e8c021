import { Config, Logger, LogLevel, PixelStreaming } from '@epicgames-ps/lib-pixelstreamingfrontend-ue5.7';

/** Epic's own page, reduced to its library: it plays, and keeps what the library says for a test to read. */
Logger.InitLogging(LogLevel.Error, false);
const config = new Config({
  useUrlParams: true,
  initialSettings: {
    AutoConnect: true,
    AutoPlayVideo: true,
    StartVideoMuted: true,
    MaxReconnectAttempts: 1_000,
    StreamerAutoJoinInterval: 500,
  },
});
const stream = new PixelStreaming(config, { videoElementParent: document.body });
const events: { type: string; data: unknown }[] = [];
const kept = [
  'videoInitialized',
  'subscribeFailed',
  // The library's types spell it with a small letter, what it dispatches does not.
  'StreamerIDChangedMessage' as 'streamerIDChangedMessage',
  'webRtcDisconnected',
] as const;
for (const type of kept) {
  stream.addEventListener(type, (event) =>
    events.push({ type, data: 'data' in event ? { ...event.data } : null }),
  );
}
Object.assign(window, { stream, events });
