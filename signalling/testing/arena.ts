import { createLog } from '../../shared/log.ts';
import type { Family } from '../../shared/protocol/message.ts';
import { toPlayer, toSfu, toStreamer } from '../../shared/protocol/pixel-streaming.ts';
import type { Frame, Peer } from '../../shared/socket.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { loadConfig } from '../config.ts';
import type { Role } from '../http/gate.ts';
import { createSignalling, type Signalling } from '../server.ts';

const families: Record<Role, Family> = { streamer: toStreamer, player: toPlayer, sfu: toSfu };

/** What a peer says first so that it has somebody to talk to. */
const introductions: Record<Role, string[]> = {
  streamer: ['{"type":"endpointId","id":"Foo","protocolVersion":"1.3.0"}'],
  player: ['{"type":"subscribe","streamerId":"Foo"}'],
  sfu: ['{"type":"endpointId","id":"Edge"}', '{"type":"subscribe","streamerId":"Foo"}'],
};

/** A connection without a socket. */
interface Actor {
  id: string;
  open: boolean;
  frame(frame: Frame): void;
  close(): void;
}

/** A signalling server whose sockets are functions: what is sent is checked, what fails is kept. */
export interface Arena {
  signalling: Signalling;
  /** What went wrong: errors that were logged, messages sent that the protocol does not have. */
  problems: string[];
  /** Sends one frame from the nth connection of that role; opens it (anew) where it is closed. */
  frame(role: Role, nth: number, frame: Frame): void;
  /** The id of the nth connection of that role. */
  id(role: Role, nth: number): string;
  /** How many connections were opened. */
  opened(): number;
  closeAll(): void;
}

export const arena = async (args: string[] = []): Promise<Arena> => {
  const loaded = await loadConfig(args, {});
  if (!('config' in loaded)) throw new Error(JSON.stringify(loaded));
  const problems: string[] = [];
  const log = createLog('arena', 'error', { write: (line: string) => void problems.push(line) });
  const clock = fakeClock();
  const signalling = createSignalling(loaded.config, clock, log);
  const actors = new Map<string, Actor>();
  let opened = 0;

  const sent = (role: Role, frame: Frame): void => {
    const message: unknown = JSON.parse(String(frame));
    const type = (message as { type: string }).type;
    if (families[role][type]?.safeParse(message).success !== true) problems.push(`to ${role}: ${frame}`);
  };

  const open = (role: Role): Actor => {
    let peer: Peer | undefined;
    const close = (code: number, reason: string) => {
      if (!actor.open) return;
      actor.open = false;
      peer?.closed(code, reason);
    };
    const actor: Actor = {
      id: String(++opened),
      open: true,
      frame: (frame) => peer?.frame(frame),
      close: () => close(1000, ''),
    };
    const send = (frame: Frame) => {
      if (actor.open) sent(role, frame);
      return actor.open;
    };
    peer = signalling.connect(
      role,
      { remote: '192.0.2.1' },
      { remote: '192.0.2.1', backlog: () => 0, send, close },
    );
    for (const text of introductions[role]) peer.frame(text);
    return actor;
  };
  const actor = (role: Role, nth: number): Actor => {
    const known = actors.get(`${role} ${nth}`);
    if (known?.open === true) return known;
    const fresh = open(role);
    actors.set(`${role} ${nth}`, fresh);
    return fresh;
  };

  return {
    signalling,
    problems,
    opened: () => opened,
    id: (role, nth) => actor(role, nth).id,
    frame(role, nth, frame) {
      clock.advance(10);
      actor(role, nth).frame(frame);
    },
    closeAll() {
      for (const each of actors.values()) each.close();
    },
  };
};
