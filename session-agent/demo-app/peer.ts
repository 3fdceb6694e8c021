import { z } from 'zod';
import type { Log } from '../../shared/log.ts';
import { decodeInput, encodeProtocol, encodeText, type Input } from './data-channel.ts';

/** libwebrtc for JavaScript. */
export type Wrtc = typeof import('@roamhq/wrtc');

const CHANNEL = 'datachannel';
/** Candidates that may arrive before the answer; more are dropped. */
const EARLY_CANDIDATES = 64;
/** What may wait unsent in a data channel before replies are dropped. */
const backlog_bytes = 1024 * 1024;

/** Bit rates in kbit/s. Without a start value the picture is a blur for its first seconds. */
const bitrates = { min: 500, start: 3_500, max: 8_000 } as const;

const iceServerSchema = z.object({
  urls: z.union([z.string(), z.array(z.string())]),
  username: z.string().optional(),
  credential: z.string().optional(),
});
/** The part of an RTCConfiguration that signalling servers send. */
const peerOptionsSchema = z.object({
  iceServers: z.array(iceServerSchema).default([]),
  iceTransportPolicy: z.enum(['all', 'relay']).default('all'),
});

/** The data channel's sending half. */
export type Reply = (bytes: Uint8Array) => void;

export interface PeerOptions {
  wrtc: Wrtc;
  peerConnectionOptions: Record<string, unknown>;
  tracks: readonly MediaStreamTrack[];
  initialSettings: string;
  log: Log;
  /** The app's own description, an offer or an answer. */
  describe(sdp: string): void;
  candidate(candidate: RTCIceCandidate): void;
  input(input: Input, reply: Reply): void;
}

/** One player's WebRTC connection. */
export interface Peer {
  answer(sdp: string): void;
  addCandidate(candidate: RTCIceCandidateInit): void;
  /** Idempotent. */
  close(): void;
}

/** Adds Google's bit rate hints to every video codec of the page's description; the sender reads them there. */
const withBitrates = (sdp: string): string => {
  const hints = `x-google-min-bitrate=${bitrates.min};x-google-start-bitrate=${bitrates.start};x-google-max-bitrate=${bitrates.max}`;
  const eol = sdp.includes('\r\n') ? '\r\n' : '\n';
  return sdp.replaceAll(/^a=rtpmap:(\d+) (?:VP8|VP9|AV1)\/90000\r?$/gm, (line, type: string) => {
    const existing = new RegExp(`^a=fmtp:${type} `, 'm').test(sdp);
    return existing ? line : `${line.trimEnd()}${eol}a=fmtp:${type} ${hints}${eol === '\r\n' ? '\r' : ''}`;
  });
};

const listen = (channel: RTCDataChannel, options: PeerOptions): void => {
  const { log } = options;
  const logged = new Set<number>();
  const reply: Reply = (bytes) => {
    if (channel.readyState !== 'open' || channel.bufferedAmount > backlog_bytes) return;
    // A copy of its own: the binding takes whole buffers.
    channel.send(new Uint8Array(bytes));
  };
  channel.binaryType = 'arraybuffer';
  const opened = () => {
    reply(encodeProtocol(0));
    reply(encodeProtocol(1));
    reply(encodeText('InitialSettings', options.initialSettings));
    log.info('data channel open');
  };
  // One that the page has made may be open when it is first seen.
  if (channel.readyState === 'open') opened();
  else channel.onopen = opened;
  channel.onmessage = ({ data }) => {
    const input = data instanceof ArrayBuffer ? decodeInput(new Uint8Array(data)) : { wrong: 'text', id: -1 };
    if ('name' in input) return options.input(input, reply);
    if (!logged.has(input.id)) log.warn(input, 'data channel message ignored');
    logged.add(input.id);
  };
};

/**
 * Connects to a player that the signalling server announced: creates everything and sends the offer. With an `offered`
 * description of the page, whose data channel comes with it, an answer.
 */
export const connectPeer = (options: PeerOptions, offered?: string): Peer => {
  const { wrtc, log } = options;
  const parsed = peerOptionsSchema.safeParse(options.peerConnectionOptions);
  if (!parsed.success) log.warn({ issues: parsed.error.issues }, 'peerConnectionOptions ignored');
  const { iceServers, iceTransportPolicy } = parsed.success ? parsed.data : peerOptionsSchema.parse({});
  const servers = iceServers.map(({ urls, username = '', credential = '' }) => ({
    urls,
    username,
    credential,
  }));
  const connection = new wrtc.RTCPeerConnection({ iceServers: servers, iceTransportPolicy });
  // Epic's page ignores a track that belongs to no stream.
  const stream = new wrtc.MediaStream([...options.tracks]);
  for (const track of options.tracks) connection.addTrack(track, stream);
  if (offered === undefined) listen(connection.createDataChannel(CHANNEL, { ordered: true }), options);
  else connection.ondatachannel = ({ channel }) => listen(channel, options);

  let closed = false;
  let described = false;
  const early: RTCIceCandidateInit[] = [];
  const attempt = (what: string, run: () => Promise<void>) => {
    run().catch((error: unknown) => {
      if (!closed) log.warn({ error }, `${what} failed`);
    });
  };
  const addCandidate = (candidate: RTCIceCandidateInit) =>
    attempt('adding a candidate', () => connection.addIceCandidate(candidate));

  // A page can use a candidate only once it has the description, and libwebrtc finds some before that is set here.
  let told = false;
  const gathered: RTCIceCandidate[] = [];
  connection.onicecandidate = ({ candidate }) => {
    if (candidate === null || closed) return;
    if (told) options.candidate(candidate);
    else gathered.push(candidate);
  };
  let state: string = connection.connectionState;
  connection.onconnectionstatechange = () => {
    if (connection.connectionState === state) return;
    state = connection.connectionState;
    log.info({ state }, 'peer connection');
  };
  const take = async (type: 'offer' | 'answer', sdp: string) => {
    await connection.setRemoteDescription({ type, sdp: withBitrates(sdp) });
    described = true;
    early.splice(0).forEach(addCandidate);
  };
  attempt('describing', async () => {
    if (offered !== undefined) await take('offer', offered);
    const own = await (offered === undefined ? connection.createOffer() : connection.createAnswer());
    await connection.setLocalDescription(own);
    if (closed) return;
    options.describe(own.sdp ?? '');
    told = true;
    gathered.splice(0).forEach(options.candidate);
  });

  return {
    answer: (sdp) => attempt('taking the answer', () => take('answer', sdp)),
    addCandidate(candidate) {
      if (described) addCandidate(candidate);
      else if (early.length < EARLY_CANDIDATES) early.push(candidate);
    },
    close() {
      if (closed) return;
      closed = true;
      connection.close();
    },
  };
};
