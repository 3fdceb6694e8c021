import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import { type Answerable, answerInput, initialSettings } from './answers.ts';
import type { Input } from './data-channel.ts';
import { type Flags, pictureSize } from './flags.ts';
import { connectPeer, type Peer, type PeerOptions, type Reply, type Wrtc } from './peer.ts';
import { createStage, FPS, type Stage } from './stage.ts';
import { type Players, type Streamer, startStreamer } from './streamer.ts';
import { advance, dropPlayer, newWorld, takeInput } from './world.ts';

/** libwebrtc and what plays through it. */
interface Media {
  wrtc: Wrtc;
  stage: Stage;
}

export interface App {
  /** Closes all peers and the signalling socket. Idempotent. */
  stop(): void;
}

export interface AppOptions {
  url: string;
  flags: Flags;
  clock: Clock;
  log: Log;
  /** Loads libwebrtc; the app registers once it can play, as Unreal does. */
  loadWrtc(): Promise<Wrtc>;
}

/** The running app: registers, plays the flat to every player that comes, and obeys what they send. */
export const startApp = ({ url, flags, clock, log, loadWrtc }: AppOptions): App => {
  const peers = new Map<string, Peer>();
  /** Players that are announced and not yet gone; a peer is made for them as soon as libwebrtc is there. */
  const present = new Set<string>();
  const settings = initialSettings(FPS);
  let world = newWorld;
  let stopped = false;
  let stage: Stage | undefined;
  let streamer: Streamer | undefined;
  let loading: Promise<Media> | undefined;

  const media = (): Promise<Media> => {
    loading ??= loadWrtc().then((wrtc) => {
      const made = createStage({
        flags,
        wrtc,
        clock,
        log,
        step(seconds, obstacles) {
          world = advance(world, seconds, obstacles);
          return world;
        },
      });
      stage = made;
      if (stopped) made.stop();
      return { wrtc, stage: made };
    });
    return loading;
  };

  const answerable: Omit<Answerable, 'kick'> = {
    now: () => clock.now(),
    initialSettings: settings,
    resize: (width, height) => stage?.resize(pictureSize(width, height)),
    toggleFps: () => {
      world = { ...world, showFps: !world.showFps };
    },
    setTone: (on) => {
      world = { ...world, toneOn: on };
    },
    rename: (streamerId) => streamer?.rename(streamerId),
    log,
  };

  const drop = (playerId: string) => {
    present.delete(playerId);
    peers.get(playerId)?.close();
    peers.delete(playerId);
    world = dropPlayer(world, playerId);
    stage?.play(peers.size > 0);
  };
  const dropAll = () => {
    for (const playerId of [...present]) drop(playerId);
  };

  const welcome = async (
    playerId: string,
    peerConnectionOptions: Record<string, unknown>,
    offered: string | undefined,
  ) => {
    const { wrtc, stage: ready } = await media();
    if (stopped || !present.has(playerId)) return;
    const described = offered === undefined ? 'offer' : 'answer';
    const connected: PeerOptions = {
      wrtc,
      peerConnectionOptions,
      tracks: ready.tracks,
      initialSettings: settings,
      log: log.child({ player: playerId }),
      describe: (sdp) => streamer?.send({ type: described, sdp, playerId }),
      candidate: ({ candidate, sdpMid, sdpMLineIndex, usernameFragment }) =>
        streamer?.send({
          type: 'iceCandidate',
          candidate: { candidate, sdpMid, sdpMLineIndex, usernameFragment },
          playerId,
        }),
      input(input: Input, reply: Reply) {
        world = takeInput(world, playerId, input);
        const kick = (reason: string) => streamer?.send({ type: 'disconnectPlayer', playerId, reason });
        answerInput(input, { ...answerable, kick }, reply);
      },
    };
    peers.set(playerId, connectPeer(connected, offered));
    ready.play(true);
  };

  const players: Players = {
    registered: (streamerId) => log.info({ streamer: streamerId, url }, 'registered'),
    connected(playerId, peerConnectionOptions, offered) {
      drop(playerId);
      present.add(playerId);
      welcome(playerId, peerConnectionOptions, offered).catch((error: unknown) =>
        log.error({ error, player: playerId }, 'a player could not be connected'),
      );
    },
    disconnected: drop,
    answered: (playerId, sdp) => peers.get(playerId)?.answer(sdp),
    candidate: (playerId, { candidate, sdpMid = null, sdpMLineIndex = null, usernameFragment = null }) =>
      peers.get(playerId)?.addCandidate({ candidate, sdpMid, sdpMLineIndex, usernameFragment }),
    lost: dropAll,
  };
  const connect = () => {
    if (stopped) return;
    const { streamerId, neverRegister, engine } = flags;
    streamer = startStreamer({ url, streamerId, neverRegister, engine, players, clock, log });
  };
  media()
    .catch((error: unknown) => log.error({ error }, 'libwebrtc cannot be loaded'))
    .then(connect);

  return {
    stop() {
      if (stopped) return;
      stopped = true;
      dropAll();
      stage?.stop();
      streamer?.stop();
    },
  };
};
