import wrtc from '@roamhq/wrtc';
import type { ServerWebSocket } from 'bun';
import type { Input } from '../data-channel.ts';
import { encodeInput } from './encode-input.ts';

const patience_ms = 60_000;

/** Rejects when the promise takes too long: no test waits for ever. */
export const soon = <T>(promise: Promise<T>, what: string): Promise<T> => {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`${what} did not happen within ${patience_ms} ms`)),
    patience_ms,
  );
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

export type Message = Record<string, unknown> & { type: string };

/** Values as they come, and a promise of the next that fits. */
export const createInbox = <T>() => {
  const seen: T[] = [];
  const waiting = new Set<{ fits: (value: T) => boolean; resolve: (value: T) => void }>();
  return {
    seen,
    push(value: T) {
      seen.push(value);
      for (const wait of [...waiting]) {
        if (!wait.fits(value)) continue;
        waiting.delete(wait);
        wait.resolve(value);
      }
    },
    /** The next value that fits; earlier ones do not count. */
    next(fits: (value: T) => boolean, what: string): Promise<T> {
      const { promise, resolve } = Promise.withResolvers<T>();
      waiting.add({ fits, resolve });
      return soon(promise, what);
    },
  };
};

/** A signalling server with one streamer and whatever the test says. */
export const fakeSignalling = (port = 0) => {
  const inbox = createInbox<Message>();
  const connections = createInbox<ServerWebSocket<undefined>>();
  let socket: ServerWebSocket<undefined> | undefined;
  const server = Bun.serve({
    port,
    hostname: '127.0.0.1',
    fetch: (request, self) => (self.upgrade(request) ? undefined : new Response('no', { status: 400 })),
    websocket: {
      open(opened) {
        socket = opened;
        connections.push(opened);
      },
      message: (_socket, text) => inbox.push(JSON.parse(String(text))),
    },
  });
  return {
    url: `ws://127.0.0.1:${server.port}`,
    port: Number(server.port),
    inbox,
    connections,
    send: (message: unknown) =>
      void socket?.send(typeof message === 'string' ? message : JSON.stringify(message)),
    cut: () => socket?.terminate(),
    stop: () => server.stop(true),
  };
};
export type FakeSignalling = ReturnType<typeof fakeSignalling>;

/** A decoded picture's brightness plane. */
export interface Seen {
  width: number;
  height: number;
  luma: Uint8Array;
}

/** A player's page: answers the app's offer through the fake signalling server and looks at what it decodes. */
export const openPage = async (signalling: FakeSignalling, playerId: string) => {
  const connection = new wrtc.RTCPeerConnection({ iceServers: [] });
  const frames = createInbox<Seen>();
  const messages = createInbox<Uint8Array>();
  const streams: (readonly MediaStream[])[] = [];
  const sinks: { stop(): void }[] = [];
  const channelOpen = Promise.withResolvers<RTCDataChannel>();
  connection.ontrack = ({ track, streams: of }) => {
    streams.push(of);
    if (track.kind !== 'video') return;
    const sink = new wrtc.nonstandard.RTCVideoSink(track);
    sinks.push(sink);
    sink.addEventListener('frame', (event) => {
      if (!('frame' in event)) return;
      const { width, height, data } = event.frame as { width: number; height: number; data: Uint8Array };
      frames.push({ width, height, luma: new Uint8Array(data.slice(0, width * height)) });
    });
  };
  connection.ondatachannel = ({ channel }) => {
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => messages.push(new Uint8Array(data));
    channelOpen.resolve(channel);
  };
  connection.onicecandidate = ({ candidate }) => {
    if (candidate !== null)
      signalling.send({ type: 'iceCandidate', playerId, candidate: candidate.toJSON() });
  };

  const offered = signalling.inbox.next((m) => m.type === 'offer' && m.playerId === playerId, 'the offer');
  const candidates: Message[] = [];
  signalling.send({ type: 'playerConnected', playerId, dataChannel: true, sfu: false });
  const offer = await offered;
  await connection.setRemoteDescription({ type: 'offer', sdp: String(offer.sdp) });
  const answer = await connection.createAnswer();
  await connection.setLocalDescription(answer);
  signalling.send({ type: 'answer', playerId, sdp: answer.sdp, minBitrateBps: 0, maxBitrateBps: 0 });
  const addCandidates = async () => {
    for (const message of signalling.inbox.seen) {
      if (message.type !== 'iceCandidate' || message.playerId !== playerId || candidates.includes(message))
        continue;
      candidates.push(message);
      await connection.addIceCandidate(message.candidate as RTCIceCandidateInit);
    }
  };
  await addCandidates();
  const channel = await soon(
    Promise.race([
      channelOpen.promise,
      (async () => {
        for (;;) {
          await signalling.inbox.next((m) => m.type === 'iceCandidate', 'a candidate');
          await addCandidates();
        }
      })(),
    ]),
    'the data channel',
  );
  return {
    offer: String(offer.sdp),
    frames,
    messages,
    streams,
    send: (input: Input) => channel.send(encodeInput(input).slice()),
    sendBytes: (bytes: Uint8Array<ArrayBuffer>) => channel.send(bytes),
    close() {
      for (const sink of sinks) sink.stop();
      connection.close();
    },
  };
};
