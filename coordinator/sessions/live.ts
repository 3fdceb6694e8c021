import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import type { toAgent } from '../../shared/protocol/agent-link.ts';
import type { MessageOf } from '../../shared/protocol/message.ts';
import { endReasons } from '../../shared/protocol/session.ts';
import type { CatalogueServices } from '../catalogue/data-directory.ts';
import { createLiveCatalogue, type LiveCatalogue } from '../catalogue/live.ts';
import type { Bus } from '../kit/bus.ts';
import { createMeters, type Meters } from '../kit/meters.ts';
import { createHosts, type Hosts } from '../seats/hosts.ts';
import { cardOfSession } from '../seats/rules-hosts.ts';
import { topicOf } from './hints.ts';
import { appIce } from './ice.ts';
import type { Stored } from './rows.ts';
import { endTextFor } from './rules-ends.ts';
import { type Happened, replay, type SessionEvent, transition } from './rules-lifecycle.ts';
import { type Effect, isLive, type Session, type Step } from './rules-session.ts';
import { createSaver, type Saver } from './saver.ts';
import { sessionSettings } from './settings.ts';

/** The connection to a host's agent. */
export interface Link {
  readonly epoch: number;
  /** Whether the agent keeps resumable player channels. */
  readonly resumes: boolean;
  /** Whether the agent tells when a player has answered the stream; else a player counts as there once it is connected. */
  readonly answers: boolean;
  /** Whether the agent takes DRAINING. */
  readonly drains: boolean;
  send(message: MessageOf<typeof toAgent>): void;
  /** Carries a player's connection to the session's signalling server. */
  openChannel(order: ChannelOrder, player: ChannelEnd): Channel;
  close(refusal: Refusal): void;
}

export interface ChannelOrder {
  readonly session: Session;
  readonly participant: string;
  /** The page's name for a channel to which it may come back. */
  readonly resumable?: string | undefined;
}

/** The player's side of a channel: what the host sends ends up here. */
export interface ChannelEnd {
  /** The host has seen the stream answered. */
  answered(): void;
  /** Whether it could be what a host sends to such a player. */
  data(payload: Uint8Array): boolean;
  close(code: number, reason: string): void;
}

/** The host's side of a channel. */
export interface Channel {
  data(payload: Uint8Array): void;
  close(code: number, reason: string): void;
}

/** A connected player, so that a session's end can reach it. */
export interface Player {
  readonly participant: string;
  /** The hash of the ticket that it came with. */
  readonly ticket: string;
  close(code: number, reason: string): void;
}

/** The sessions that this coordinator has, by id. What it puts here sits on its host's seat. */
export interface Sessions
  extends Pick<ReadonlyMap<string, Session>, 'get' | 'has' | 'keys' | 'values' | 'size'> {
  put(session: Session): void;
  drop(id: string): void;
  /** Calls `listener` after each change of the session that a participant may want to hear of. */
  watch(id: string, listener: () => void): () => void;
  /** Tells who watches it. */
  tell(id: string): void;
  /** Those that are watched, also where another coordinator has them. */
  watched(): string[];
}

const createSessions = (hosts: Pick<Hosts, 'occupy' | 'free'>, bus: Pick<Bus, 'listen'>): Sessions => {
  const sessions = new Map<string, Session>();
  const watchers = new Map<string, Set<() => void>>();
  return {
    get: (id) => sessions.get(id),
    has: (id) => sessions.has(id),
    keys: () => sessions.keys(),
    values: () => sessions.values(),
    get size() {
      return sessions.size;
    },
    put(session) {
      sessions.set(session.id, session);
      hosts.occupy(session);
    },
    drop(id) {
      sessions.delete(id);
      hosts.free(id);
    },
    watch(id, listener) {
      const unwatch = addTo(watchers, id, listener);
      // Of one that is here nothing is heard that is not known.
      const unlisten = bus.listen(topicOf(id), () => void (sessions.has(id) || listener()));
      return () => {
        unwatch();
        unlisten();
      };
    },
    tell(id) {
      for (const listener of [...(watchers.get(id) ?? [])]) listener();
    },
    watched: () => [...watchers.keys()],
  };
};

/** What the coordinator holds in memory while it runs, and what its functions need to change it. */
export interface World extends CatalogueServices {
  readonly hosts: Hosts;
  /** Hosts whose link another coordinator has, as their rows said a moment ago. */
  readonly elsewhere: Hosts;
  readonly links: Map<string, Link>;
  readonly sessions: Sessions;
  /** Sessions that are just being given a seat, by host. */
  readonly starting: Map<string, number>;
  readonly players: Map<string, Set<Player>>;
  readonly saver: Saver;
  /** Told of a host that another coordinator has taken. */
  readonly fenced: Set<(host: string) => void>;
  readonly catalogue: LiveCatalogue;
  readonly meters: Meters;
}

export const createWorld = (needs: CatalogueServices): World => {
  const fenced: World['fenced'] = new Set();
  const hosts = createHosts();
  const world: World = {
    ...needs,
    fenced,
    hosts,
    elsewhere: createHosts(),
    links: new Map(),
    sessions: createSessions(hosts, needs.bus),
    starting: new Map(),
    players: new Map(),
    saver: createSaver(needs, {
      fenced(host) {
        for (const listener of [...fenced]) listener(host);
      },
      rebased: (stored) => adopt(world, stored),
    }),
    catalogue: createLiveCatalogue(),
    meters: createMeters(),
  };
  return world;
};

/** Adds to the set of a key; the function returned takes it out and leaves no empty set behind. */
export const addTo = <T>(sets: Map<string, Set<T>>, key: string, item: T): (() => void) => {
  const set = sets.get(key) ?? new Set<T>();
  sets.set(key, set.add(item));
  return () => {
    set.delete(item);
    if (set.size === 0 && sets.get(key) === set) sets.delete(key);
  };
};

const send = (world: World, session: Session, effect: Effect & { type: 'start' | 'stop' }): void => {
  const { id, generation, app, code, participants } = session;
  const link = world.links.get(session.host);
  const ref = { session_id: id, generation };
  if (effect.type === 'stop') link?.send({ verb: 'END_SESSION', ...ref, reason: effect.reason });
  else {
    const user_id = participants.find(({ owner }) => owner)?.id ?? id;
    const ice_servers = appIce(world, session);
    const host = world.hosts.get(session.host);
    const card = host && cardOfSession(host, session);
    link?.send({
      verb: 'CREATE_SESSION',
      ...ref,
      ...{ rc_name: app, user_id, code, ice_servers },
      ...(card === undefined ? {} : { card }),
      ...(session.language === null ? {} : { language: session.language }),
    });
  }
};

const closePlayers = (world: World, session: Session, participant: string | undefined): void => {
  const { end } = session;
  const owners = session.participants.filter(({ owner }) => owner).map(({ id }) => id);
  const reasonFor = (player: string): string =>
    end === null ? 'You have left the session.' : endTextFor(end.reason, { owner: owners.includes(player) });
  for (const player of [...(world.players.get(session.id) ?? [])]) {
    // 1001 keeps Epic's page from dialling again.
    if (participant === undefined || player.participant === participant)
      player.close(1001, reasonFor(player.participant));
  }
  if (participant === undefined) return;
  const { id: session_id, generation, host } = session;
  // What waits for its page on the host is to wait no longer.
  world.links.get(host)?.send({ verb: 'DISCONNECT_USER', session_id, generation, user_id: participant });
};

const carryOut = (world: World, session: Session, effect: Effect): void => {
  switch (effect.type) {
    case 'start':
    case 'stop':
      send(world, session, effect);
      break;
    case 'close_players':
      closePlayers(world, session, effect.participant);
      break;
    case 'forget':
      world.sessions.drop(session.id);
      world.saver.forget(session.id);
  }
};

const record = (world: World, before: Session | undefined, { phase, ...session }: Session): void => {
  if (before?.phase === phase) return;
  const { id, app, host, end, phases } = session;
  const waited_ms = phase === 'ready' ? (phases.ready ?? 0) - (phases.accepted ?? 0) : undefined;
  const why = end === null ? {} : { reason: end.reason, reason_code: endReasons[end.reason] };
  world.log.info({ session: id, app, host, phase, waited_ms, ...why }, 'session');
};

/** What a coordinator that starts again must know. Tickets and open connections do not outlive this one. */
const isNews = (before: Session, after: Session): boolean =>
  before.version !== after.version ||
  before.seat_held !== after.seat_held ||
  before.participants.filter(({ came }) => came).length <
    after.participants.filter(({ came }) => came).length;

/** Takes a step into the world: keeps the session, does what has to be done outside, tells who watches. */
const commit = (world: World, { session, effects }: Step, happened: Happened): void => {
  const before = world.sessions.get(session.id);
  world.sessions.put(session);
  record(world, before, session);
  world.saver.note(session, happened, before === undefined || isNews(before, session));
  for (const effect of effects) carryOut(world, session, effect);
  if (before?.version !== session.version) world.sessions.tell(session.id);
};

/** Begins with a session that is stored, and does what has to be done outside; one that has been begun with already goes on. */
export const begin = (world: World, { session, effects }: Step, version = 1): void => {
  if (world.sessions.has(session.id)) return;
  world.sessions.put(session);
  world.saver.track(session, version);
  record(world, undefined, session);
  for (const effect of effects) carryOut(world, session, effect);
  world.sessions.tell(session.id);
};

/** Begins with a session of which this coordinator has just read. */
export const takeUp = (world: World, { session, version }: Stored): void => {
  world.sessions.put(session);
  world.saver.track(session, version);
  happen(world, session.id, { type: 'taken_up' });
};

/** Lets an event happen to a session; the session as it is then, or why it may not happen. */
export const happen = (world: World, session_id: string, event: SessionEvent): Session | Refusal => {
  const session = world.sessions.get(session_id);
  if (session === undefined) return refuse('session_unknown');
  const at = world.clock.now();
  const step = transition(session, event, at, sessionSettings(world));
  if (isRefusal(step)) return step;
  if (step.session === session && step.effects.length === 0) return session;
  const after = { ...step.session, facts: session.facts + 1 };
  commit(world, { ...step, session: after }, { event, at });
  return after;
};

/** What somebody else did to a session that is here has to be done outside as well. */
const follow = (world: World, before: Session, after: Session): void => {
  record(world, before, after);
  if (isLive(before) && after.end !== null) {
    if (after.seat_held) send(world, after, { type: 'stop', reason: after.end.reason });
    closePlayers(world, after, undefined);
  }
  const present = new Set(before.participants.flatMap((one) => (one.away ? [] : [one.id])));
  for (const { id, away } of after.participants) if (away && present.has(id)) closePlayers(world, after, id);
  if (before.version !== after.version) world.sessions.tell(after.id);
};

/** A row has changed by another hand: it is as it says, and what happened here since happens to that. Older news changes nothing. */
export const adopt = (world: World, { session: stored, version }: Stored): void =>
  world.saver.rebase({ session: stored, version }, (facts) => {
    const before = world.sessions.get(stored.id);
    const after = replay(stored, facts, sessionSettings(world));
    world.sessions.put(after);
    if (before !== undefined) follow(world, before, after);
    return after;
  });
