import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { channel_header_bytes } from '../../shared/protocol/player-channel.ts';
import { closeWith, type Peer, type Wire } from '../../shared/socket.ts';
import type { Counters } from '../broker/counters.ts';
import { playerGone, useTicket } from '../broker/sessions.ts';
import type { World } from '../broker/world.ts';
import { bounds } from '../limits.ts';
import { bearer } from '../secrets.ts';
import type { Agents } from '../ws/agents.ts';
import type { Clients } from '../ws/clients.ts';
import { connectPlayer } from '../ws/players.ts';
import type { Ctx, Env } from './env.ts';
import { originAllowed, socketBase } from './guards.ts';
import { describedRoutes, done, pathOf, refuses } from './openapi.ts';
import { problem } from './problems.ts';

export interface UpgradeNeeds {
  readonly world: World;
  readonly agents: Agents;
  readonly clients: Clients;
  readonly stopping: () => boolean;
}

const signalling = createRoute({
  method: 'get',
  path: '/api/v1/sessions/{id}/signalling',
  tags: ['sessions'],
  summary: "A WebSocket to the session's signalling server",
  description:
    'The address that a ticket names. A ticket that is refused closes the socket with its close code. With `resumable`, a name that the page chooses at random, the socket carries a player channel to which the page can come back over another socket.',
  request: {
    params: pathOf('id'),
    query: z.object({
      ticket: z.string().max(512).optional(),
      resumable: z
        .string()
        .regex(/^[A-Za-z0-9_-]{22}$/)
        .optional(),
    }),
  },
  responses: {
    101: done(
      'The socket speaks the Pixel Streaming protocol, with `resumable` in the binary frames of `shared/protocol/player-channel.ts`.',
    ),
    ...refuses('malformed', 'origin_refused', 'shutting_down', 'too_many_messages'),
  },
});

type Connect = (wire: Wire) => Peer;

const browser = { frame_bytes: limits.frame_bytes, backlog_bytes: limits.browser_backlog_bytes };
const bytes = {
  client: browser,
  player: browser,
  agent: { frame_bytes: limits.link_frame_bytes, backlog_bytes: limits.link_backlog_bytes },
};

const resuming = { ...browser, frame_bytes: limits.frame_bytes + channel_header_bytes };

/** Who speaks on a socket. */
type Kind = 'client' | 'agent' | 'player';

/** Counts open sockets by network and kind, and wraps a connect so that it is counted. */
const createCounter = ({ sockets }: Counters) => {
  const open = new Map<string, number>();
  let all = 0;
  const add = (network: string, kind: Kind, by: number) => {
    sockets.set(kind, (sockets.get(kind) ?? 0) + by);
    const now = (open.get(network) ?? 0) + by;
    all += by;
    if (now === 0) open.delete(network);
    else open.set(network, now);
  };
  return {
    full: (network: string, most: number): Refusal | undefined =>
      all >= bounds.connections || (open.get(network) ?? 0) >= most
        ? refuse('too_many_messages', 'connections from this address')
        : undefined,
    counted:
      (network: string, kind: Kind, connect: Connect): Connect =>
      (wire) => {
        add(network, kind, 1);
        const peer = connect(wire);
        return {
          frame: peer.frame,
          closed(code, reason) {
            add(network, kind, -1);
            peer.closed(code, reason);
          },
        };
      },
  };
};

/** Opens the socket only to say why it closes: a page is not shown the answer to a handshake that failed. */
const closing =
  (refusal: Refusal): Connect =>
  (wire) => {
    closeWith(wire, refusal);
    return { frame: () => {}, closed: () => {} };
  };

/**
 * The WebSockets: `/ws` for the verbs, `/agent` for hosts, and a player's signalling. Refusals come before the upgrade, but
 * for those of tickets.
 */
export const upgradeRoutes = ({ world, agents, clients, stopping }: UpgradeNeeds): OpenAPIHono<Env> => {
  const { store } = world;
  const counter = createCounter(world.counters);

  const refusedFirst = (c: Ctx): Refusal | undefined => {
    if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') {
      return refuse('malformed', 'this address speaks WebSocket');
    }
    if (stopping()) return refuse('shutting_down');
    return counter.full(c.env.network, store.configuration().connections_per_address);
  };
  const foreignPage = (c: Ctx): Refusal | undefined =>
    originAllowed(c, store.configuration()) ? undefined : refuse('origin_refused');
  const upgrade = (c: Ctx, kind: Kind, connect: Connect, sizes = bytes[kind]): boolean =>
    c.env.upgrade({ ...sizes, connect: counter.counted(c.env.network, kind, connect) });
  const upgraded = (done: boolean): Response =>
    done ? new Response(null) : problem(refuse('malformed', 'not a WebSocket handshake'));

  const routes = describedRoutes();
  routes
    .get('/ws', (c) => {
      const refused = refusedFirst(c) ?? foreignPage(c);
      if (refused !== undefined) return problem(refused);
      const { network } = c.env;
      const visitor = { base: socketBase(c, store.configuration()), network, account: c.var.caller };
      return upgraded(upgrade(c, 'client', clients.connect(visitor)));
    })
    .get('/agent', (c) => {
      // An agent is a program; a page that got hold of a key is an attack.
      const fromPage =
        c.req.header('origin') === undefined ? undefined : refuse('origin_refused', 'agents send none');
      const refused = refusedFirst(c) ?? fromPage;
      if (refused !== undefined) return problem(refused);
      const key = bearer(c.req.header('authorization'));
      if (key === undefined) {
        world.log.warn({ network: c.env.network }, 'an agent without a key was refused');
        return problem(refuse('unauthorized', 'Authorization: Bearer <key>'));
      }
      return upgraded(upgrade(c, 'agent', agents.connect(key)));
    });
  return routes.openapi(signalling, (c) => {
    const refused = refusedFirst(c) ?? foreignPage(c);
    if (refused !== undefined) return problem(refused);
    const id = c.req.valid('param').id;
    const { ticket, resumable } = c.req.valid('query');
    const member = useTicket(world, id, ticket ?? '');
    if (isRefusal(member)) {
      const { log } = world;
      log.info({ session: id, network: c.env.network, ...member }, 'a player was refused');
      world.counters.refusals.count({ code: member.refused });
      return upgraded(upgrade(c, 'player', closing(member)));
    }
    const done = upgrade(
      c,
      'player',
      connectPlayer(world, member, resumable),
      resumable === undefined ? browser : resuming,
    );
    if (!done) playerGone(world, id, member.participant.id, false);
    return upgraded(done);
  });
};
