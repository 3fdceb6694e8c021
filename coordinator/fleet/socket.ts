import { type Refusal, refuse } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { AGENT_LINK_VERSION, fromAgent, toAgent } from '../../shared/protocol/agent-link.ts';
import { forAgent } from '../../shared/protocol/agent-link-versions.ts';
import { encode, type Handlers, type MessageOf } from '../../shared/protocol/message.ts';
import { decodeRelayFrame } from '../../shared/protocol/relay-frame.ts';
import { closeWith, door, type Peer, type Wire } from '../../shared/socket.ts';
import { bounds } from '../kit/limits.ts';
import { createChannels } from '../relay/channels.ts';
import { participantIce } from '../sessions/ice.ts';
import type { Link } from '../sessions/live.ts';
import type { SessionEvent } from '../sessions/rules-lifecycle.ts';
import { greetHost, hostBeats, hostGone, hostReports, isHostKey, keyIsRight } from './fleet.ts';
import type { Fleet } from './lives.ts';
import { checkQuarantine } from './quarantine.ts';

/** The links of all hosts. */
export interface Agents {
  /** Speaks the link protocol on a socket whose upgrade presented `key`. */
  connect(key: string): (wire: Wire) => Peer;
  /** Closes links that are silent or have not said HELLO. */
  tick(): void;
  /** Closes every link. */
  stop(): void;
}

type Frame = Parameters<Peer['frame']>[0];

/** Frames in their order, and their bytes together. */
interface Held {
  readonly frames: Frame[];
  bytes: number;
}

/** The first version of the link whose agents keep resumable player channels. */
const RESUMES_SINCE = 2;

interface AgentLink extends Link {
  readonly key: string;
  readonly remote: string;
  /** The host's name, once its HELLO was accepted. */
  host: string | undefined;
  /** The version of the protocol that holds, the lower of both ends'. */
  protocol: number;
  answers: boolean;
  drains: boolean;
  /** The stream was answered on one of its channels. */
  answered(channel: number): void;
  /** Monotonic ms. */
  readonly opened: number;
  heard: number;
  /** Holds what the host says until its HELLO is dealt with. */
  greet(greeting: Promise<void>): void;
  /** What the host has said meanwhile; undefined when nothing is held. */
  held: Held | undefined;
  isGone(): boolean;
  /** The connection is gone: players are told, the host counts as disconnected. Idempotent. */
  gone(): void;
}

type Hello = Extract<MessageOf<typeof fromAgent>, { verb: 'HELLO' }>;

interface Context {
  readonly world: Fleet;
  readonly link: AgentLink;
}

type Ref = { session_id: string; generation: number };

const report = ({ world, link }: Context, { session_id, generation }: Ref, event: SessionEvent): void => {
  if (link.host === undefined) link.close(refuse('unauthorized', 'HELLO comes first'));
  else hostReports(world, link.host, link, { session_id, generation }, event);
};

const greet = async (world: Fleet, link: AgentLink, hello: Hello): Promise<void> => {
  const welcome = (message: MessageOf<Pick<typeof toAgent, 'WELCOME'>>) => {
    link.host = hello.server_name;
    link.protocol = Math.min(hello.protocol, AGENT_LINK_VERSION);
    link.answers = hello.answers ?? false;
    link.drains = hello.drains ?? false;
    link.send({ ...message, protocol: link.protocol, answers: true });
  };
  const refused = await greetHost(world, link, link.key, hello, welcome, link.isGone);
  if (refused === undefined || link.isGone()) return;
  world.log.warn({ host: hello.server_name, remote: link.remote, ...refused }, 'agent refused');
  link.close(refused);
};

const handlers: Handlers<typeof fromAgent, Context> = {
  HELLO: (hello, { world, link }) => {
    if (link.host !== undefined) return link.close(refuse('malformed', 'HELLO was said before'));
    link.greet(greet(world, link, hello));
  },
  HEARTBEAT: (message, { world, link }) => {
    if (link.host === undefined) return link.close(refuse('unauthorized', 'HELLO comes first'));
    hostBeats(world, link.host, link, message);
    link.send({ msg: 'HEARTBEAT', time: message.time });
  },
  SESSION_STARTING: (message, context) =>
    report(context, message, { type: 'progressed', phase: message.phase }),
  CONNECT_TO_SESSION: (message, context) => report(context, message, { type: 'progressed', phase: 'ready' }),
  SESSION_RESTARTING: (message, context) =>
    report(context, message, { type: 'progressed', phase: 'restarting' }),
  SESSION_ENDED: (message, context) => {
    const { session_id, reason, detail } = message;
    context.world.log.info(
      { session: session_id, host: context.link.host, reason, detail },
      'host: session ended',
    );
    report(context, message, { type: 'host_ended', reason });
  },
  SESSION_CONNECTION_ESTABLISHED: ({ session_id, channel }, { world, link }) =>
    world.log.debug({ session: session_id, host: link.host, channel }, 'player connected to its host'),
  // The channel is the link's own: a host can say so of its players only.
  PLAYER_ANSWERED: ({ channel }, { link }) => link.answered(channel),
};

/** A HELLO names what runs on its host; that of a stranger is only read to be refused. In characters, or bytes. */
const mostOfHello = (world: Fleet, key: string): number =>
  isHostKey(world, key) ? bounds.hello_bytes : bounds.strange_hello_bytes;

const hold = (link: AgentLink, held: Held, frame: Frame): void => {
  held.bytes += frame.length;
  if (held.frames.length >= bounds.frames_held || held.bytes > bounds.bytes_held) {
    link.close(refuse('too_many_messages', 'before WELCOME'));
  } else held.frames.push(frame);
};

const createLink = (
  world: Fleet,
  wire: Wire,
  key: string,
  epoch: number,
  forget: (link: AgentLink) => void,
  take: (frame: Frame) => void,
) => {
  const channels = createChannels(wire, world.clock, world.log);
  let gone = false;
  const link: AgentLink = {
    epoch,
    key,
    remote: wire.remote,
    host: undefined,
    protocol: AGENT_LINK_VERSION,
    answers: false,
    drains: false,
    answered: channels.answered,
    opened: world.clock.monotonic(),
    heard: world.clock.monotonic(),
    get resumes() {
      return link.protocol >= RESUMES_SINCE;
    },
    send(message) {
      const known = forAgent(link.protocol, message);
      if (known !== undefined) wire.send(encode(toAgent, known));
    },
    openChannel({ session, participant, resumable }, player) {
      const { number, channel } = channels.open({ session: session.id, participant }, player);
      link.send({
        verb: 'CONNECT_USER_TO_SESSION',
        session_id: session.id,
        generation: session.generation,
        code: session.code,
        user_id: participant,
        channel: number,
        ice_servers: participantIce(world, session, participant),
        ...(resumable === undefined ? {} : { resumable }),
      });
      return channel;
    },
    close(refusal: Refusal) {
      closeWith(wire, refusal);
      link.gone();
    },
    held: undefined,
    greet(greeting) {
      link.held = { frames: [], bytes: 0 };
      greeting
        .catch((error: unknown) => {
          world.log.error({ error, remote: link.remote }, 'a HELLO failed');
          link.close(refuse('internal'));
        })
        .finally(() => {
          const { frames } = link.held ?? { frames: [] };
          link.held = undefined;
          for (const frame of frames) take(frame);
        });
    },
    isGone: () => gone,
    gone() {
      gone = true;
      forget(link);
      if (link.host !== undefined) hostGone(world, link.host, link);
      channels.closeAll();
    },
  };
  return { link, channels };
};

/** Serves the agents' ends of the links. */
export const createAgents = (world: Fleet): Agents => {
  const { clock, log } = world;
  const links = new Set<AgentLink>();
  let epochs = 0;

  const onCatalogue = () => {
    for (const link of links) {
      if (link.host === undefined) continue;
      const locked = checkQuarantine(world, link.host);
      if (locked !== undefined) link.close(locked);
      if (locked !== undefined || keyIsRight(world, link.host, link.key)) continue;
      log.warn({ host: link.host }, 'the key of the host is no longer the one in the catalogue');
      link.close(refuse('agent_key_wrong'));
    }
  };
  const deafen = world.catalogue.onChange(onCatalogue);

  const connect =
    (key: string) =>
    (wire: Wire): Peer => {
      epochs += 1;
      const { link, channels } = createLink(
        world,
        wire,
        key,
        epochs,
        (gone) => links.delete(gone),
        (frame) => take(frame),
      );
      links.add(link);
      const enter = door({ family: fromAgent, handlers, context: { world, link }, wire, clock, log });
      const take = (frame: Frame): void => {
        if (!links.has(link)) return;
        if (typeof frame === 'string') {
          enter(frame);
          return;
        }
        const relayed = link.host === undefined ? undefined : decodeRelayFrame(frame);
        if (relayed === undefined) link.close(refuse('malformed', 'not a relay frame'));
        else channels.frame(relayed);
      };
      return {
        frame(frame) {
          link.heard = clock.monotonic();
          if (link.held !== undefined) hold(link, link.held, frame);
          else if (link.host === undefined && frame.length > mostOfHello(world, key)) {
            link.close(refuse('frame_too_large', 'before HELLO'));
          } else take(frame);
        },
        closed(code, reason) {
          log.debug({ host: link.host, code, reason }, 'agent link closed');
          link.gone();
        },
      };
    };

  return {
    connect,
    tick() {
      const now = clock.monotonic();
      for (const link of links) {
        if (link.host === undefined && now - link.opened >= bounds.hello_ms) {
          link.close(refuse('unauthorized', 'no HELLO in time'));
        } else if (now - link.heard >= limits.link_silence_ms) {
          log.warn({ host: link.host, remote: link.remote }, 'the agent link is silent');
          link.close(refuse('too_slow', 'nothing was heard in time'));
        }
      }
    },
    stop() {
      deafen();
      for (const link of links) link.close(refuse('shutting_down'));
    },
  };
};
