import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import {
  AGENT_LINK_OLDEST,
  AGENT_LINK_VERSION,
  type fromAgent,
  type toAgent,
} from '../../shared/protocol/agent-link.ts';
import type { MessageOf } from '../../shared/protocol/message.ts';
import type { LiveCatalogue } from '../catalogue/live.ts';
import { bounds } from '../kit/limits.ts';
import { hashOf, matches } from '../kit/secrets.ts';
import { capacityOf } from '../seats/rules-capacity.ts';
import { believed, hostAway, hostConnected, hostHeard, isLost, stopped } from '../seats/rules-hosts.ts';
import { happen, type Link, type World } from '../sessions/live.ts';
import type { SessionEvent } from '../sessions/rules-lifecycle.ts';
import type { Session } from '../sessions/rules-session.ts';
import { sessionSettings } from '../sessions/settings.ts';
import { Unavailable } from '../store/database.ts';
import { claimHost } from './claims.ts';
import { drainingOf } from './drain.ts';
import type { Fleet } from './lives.ts';
import { checkQuarantine, quarantineHost } from './quarantine.ts';
import { reconcile } from './rules-reconcile.ts';

type Hello = Extract<MessageOf<typeof fromAgent>, { verb: 'HELLO' }>;
type Heartbeat = Extract<MessageOf<typeof fromAgent>, { verb: 'HEARTBEAT' }>;
type Welcome = Extract<MessageOf<typeof toAgent>, { msg: 'WELCOME' }>;

const sessionsOf = (world: World, host: string): Session[] =>
  [...world.sessions.values()].filter((session) => session.host === host);

/** Whether the key is the one of the host in the catalogue that is in force now. */
export const keyIsRight = (
  { catalogue }: { readonly catalogue: LiveCatalogue },
  host: string,
  key: string,
): boolean => {
  const right = catalogue.now().hosts.get(host)?.key_hash;
  return right !== undefined && matches(key, Buffer.from(right, 'base64url'));
};

/** Whether the key is that of any host. */
export const isHostKey = (
  { catalogue }: { readonly catalogue: LiveCatalogue },
  key: string | undefined,
): boolean => {
  if (key === undefined) return false;
  const shown = hashOf(key);
  return catalogue
    .now()
    .hosts.values()
    .some(({ key_hash }) => key_hash === shown);
};

const warnOfMissingApps = (world: World, { server_name, apps }: Hello): void => {
  const listed = [...world.catalogue.now().apps.values()].filter(({ hosts }) => hosts.includes(server_name));
  const missing = listed.map(({ name }) => name).filter((name) => !apps.includes(name));
  const unlisted = apps.filter((name) => !listed.some((app) => app.name === name));
  if (missing.length === 0 && unlisted.length === 0) return;
  world.log.warn({ host: server_name, missing, unlisted }, 'servers.json and the host differ about its apps');
};

/**
 * `hostHello` for a host whose sessions another coordinator may have had. While the database is away a host that was this
 * coordinator's comes back all the same, and others are refused. `gone` says that the link was closed meanwhile.
 */
export const greetHost = async (
  world: Fleet,
  link: Link,
  key: string,
  hello: Hello,
  welcome: (message: Welcome) => void,
  gone: () => boolean,
): Promise<Refusal | undefined> => {
  const { server_name: name, seats } = hello;
  try {
    if (keyIsRight(world, name, key)) await claimHost(world, name, seats, capacityOf(seats, hello));
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    const { coordinator_name } = world.store.configuration();
    if (world.catalogue.now().hosts.get(name)?.held_by !== coordinator_name) return error.refusal;
  }
  if (gone()) return undefined;
  const right = keyIsRight(world, name, key);
  if (right && world.lives.isClone(name, hello.life, world.links.has(name)))
    return quarantineHost(world, name);
  return hostHello(world, link, key, hello, welcome);
};

/**
 * Takes a host in, or back: the link becomes the host's only one, and what the host runs is compared with what it
 * should run. `welcome` is sent before any order. Refused with agent_version, agent_key_wrong or
 * host_quarantined.
 */
export const hostHello = (
  world: Fleet,
  link: Link,
  key: string,
  hello: Hello,
  welcome: (message: Welcome) => void,
): Refusal | undefined => {
  const { server_name: name, seats, apps } = hello;
  // One that is newer is answered with our version, and decides itself whether it still speaks it.
  if (hello.protocol < AGENT_LINK_OLDEST) {
    const ours = `${AGENT_LINK_OLDEST} to ${AGENT_LINK_VERSION}`;
    const versions = `the agent speaks ${hello.protocol}, the coordinator ${ours}`;
    return refuse('agent_version', versions);
  }
  if (!keyIsRight(world, name, key)) return refuse('agent_key_wrong');
  const locked = checkQuarantine(world, name);
  if (locked !== undefined) return locked;

  const now = world.clock.now();
  const former = world.links.get(name);
  const known = world.hosts.get(name);
  const second = world.lives.mayBeClone(name, hello.life, former !== undefined);
  world.lives.note(name, hello.life, former !== undefined);
  world.links.set(name, link);
  if (former !== undefined) {
    world.log.warn({ host: name }, 'a second connection of the host replaces the first');
    for (const session of sessionsOf(world, name)) happen(world, session.id, { type: 'host_away' });
    former.close(refuse('agent_superseded'));
  }
  const { answers, leftovers, events, doubted } = reconcile(
    name,
    hello.sessions,
    world.sessions.values(),
    now,
    // A doubt that there is already gets no longer by further newcomers.
    (id) => known?.doubted.get(id) ?? (second ? now + bounds.host_doubt_ms : now),
  );
  if (doubted.size > 0) {
    const sessions = [...doubted.keys()];
    world.log.warn({ host: name, sessions }, 'a newcomer lacks sessions, which may run on a second machine');
  }
  const capacity = capacityOf(seats, hello);
  if (hello.cards !== undefined && capacity.cards !== hello.cards) {
    world.log.warn(
      { host: name, seats, cards: hello.cards },
      'the cards of the host do not make up its seats',
    );
  }
  const { warm = [], version = null } = hello;
  const placed = new Map([
    ...[...(known?.placed ?? [])].filter(([id]) => doubted.has(id)),
    ...hello.sessions.flatMap(({ session_id, card }): [string, number][] =>
      card === undefined ? [] : [[session_id, card]],
    ),
  ]);
  const said = { name, seats, apps, capacity, placed, doubted, warm, version };
  world.hosts.put(hostConnected(said, link.epoch, leftovers, now));
  const row = world.catalogue.now().hosts.get(name);
  const draining = row === undefined ? {} : { draining: drainingOf(row) };
  welcome({ msg: 'WELCOME', heartbeat_ms: limits.heartbeat_ms, sessions: [...answers], ...draining });
  const stopping = answers.filter(({ action }) => action === 'stop').length;
  world.log.info({ host: name, seats, running: answers.length, stopping }, 'host connected');
  world.lives.lost.delete(name);
  warnOfMissingApps(world, hello);
  for (const { id, event } of events) happen(world, id, event);
  return undefined;
};

/** The link is closed. Only the host's present link counts: a replaced one changes nothing. */
export const hostGone = (world: World, name: string, link: Link): void => {
  const host = world.hosts.get(name);
  if (host === undefined || world.links.get(name) !== link) return;
  world.links.delete(name);
  world.hosts.put(hostAway(host, world.clock.now(), sessionSettings(world).host_lost_ms));
  world.log.warn({ host: name }, 'host disconnected');
  for (const session of sessionsOf(world, name)) happen(world, session.id, { type: 'host_away' });
};

/** The host is there, and says how busy it is. */
export const hostBeats = (world: World, name: string, link: Link, { figures, warm }: Heartbeat): void => {
  const host = world.hosts.get(name);
  if (host === undefined || world.links.get(name) !== link) return;
  const said = { ...(figures === undefined ? {} : { figures }), ...(warm === undefined ? {} : { warm }) };
  world.hosts.put(hostHeard(host, said, world.clock.now()));
};

/** What a host says about one of its sessions. Not believed from an old link, another host or of another generation. */
export const hostReports = (
  world: World,
  name: string,
  link: Link,
  ref: { session_id: string; generation: number },
  event: SessionEvent,
): void => {
  const host = world.hosts.get(name);
  if (host === undefined || world.links.get(name) !== link) return;
  if (event.type === 'host_ended') world.hosts.put(stopped(host, ref.session_id));
  const session = world.sessions.get(ref.session_id);
  if (session === undefined || session.host !== name || session.generation !== ref.generation) {
    world.log.debug({ host: name, ...ref, event: event.type }, 'a stale report is ignored');
    return;
  }
  happen(world, session.id, event);
};

/** A newcomer has been alone for long enough: what it lacks is nowhere. */
const settleDoubts = (world: World, name: string): void => {
  const known = world.hosts.get(name);
  if (known === undefined) return;
  const { host, gone } = believed(known, world.clock.now());
  if (host === known) return;
  world.hosts.put(host);
  for (const id of gone) happen(world, id, { type: 'host_lacks' });
};

/** Looks at every deadline of hosts and sessions. */
export const tick = (world: Fleet): void => {
  const now = world.clock.now();
  for (const host of [...world.hosts.values()]) {
    settleDoubts(world, host.name);
    if (!isLost(host, now)) continue;
    world.hosts.drop(host.name);
    world.lives.lost.set(host.name, host.heard_at);
    world.log.error({ host: host.name }, 'host lost');
    for (const session of sessionsOf(world, host.name)) happen(world, session.id, { type: 'host_lost' });
  }
  for (const session of [...world.sessions.values()]) {
    const result = happen(world, session.id, { type: 'tick' });
    if (isRefusal(result)) world.log.error({ session: session.id, ...result }, 'a tick was refused');
  }
};
