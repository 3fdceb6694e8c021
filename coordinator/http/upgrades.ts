import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { channel_header_bytes } from '../../shared/protocol/player-channel.ts';
import { isHostKey } from '../fleet/fleet.ts';
import type { Agents } from '../fleet/socket.ts';
import { originAllowed, socketBase } from '../kit/http-addresses.ts';
import type { Ctx, Env } from '../kit/http-env.ts';
import { describedRoutes, done, pathOf, refuses } from '../kit/http-openapi.ts';
import { problem } from '../kit/http-problems.ts';
import { bearer } from '../kit/secrets.ts';
import { forwardPlayer } from '../relay/forwarding.ts';
import { connectPlayer } from '../relay/players.ts';
import { createRefusedPlayers } from '../relay/refused.ts';
import { holderElsewhere } from '../sessions/holder.ts';
import type { World } from '../sessions/live.ts';
import { playerGone, useTicket } from '../sessions/members.ts';
import type { Clients } from '../sessions/verbs.ts';
import { type Caller, type Connect, createConnections } from './connections.ts';

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
    'The address that a ticket names. While the participant takes part the ticket opens the socket again until a minute after it ended; the new one takes the place of one that is still open. A ticket that is refused closes the socket with its close code, the later the more often a network is refused. With `resumable`, a name that the page chooses at random, the socket carries a player channel to which the page can come back over another socket.',
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
    ...refuses('malformed', 'origin_refused', 'shutting_down', 'too_many_messages', 'too_busy'),
  },
});

const browser = { frame_bytes: limits.frame_bytes, backlog_bytes: limits.browser_backlog_bytes };
const link = { frame_bytes: limits.link_frame_bytes, backlog_bytes: limits.link_backlog_bytes };
const bytes = {
  client: browser,
  player: browser,
  agent: link,
  stranger: link,
};

const resuming = { ...browser, frame_bytes: limits.frame_bytes + channel_header_bytes };

/** Pages of 5.2 to 5.4 that make the offer put `?OfferToReceive=true` behind the address, query or not. */
const bareTicket = (ticket = ''): string => ticket.split('?', 1)[0] ?? '';

/**
 * The WebSockets: `/ws` for the verbs, `/agent` for hosts, and a player's signalling. Refusals come before the upgrade, but
 * for those of tickets.
 */
export const upgradeRoutes = ({ world, agents, clients, stopping }: UpgradeNeeds): OpenAPIHono<Env> => {
  const { store } = world;
  const connections = createConnections(world.meters);
  const refusedPlayer = createRefusedPlayers(world.clock);

  const refusedFirst = (c: Ctx, caller: Caller): Refusal | undefined => {
    if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') {
      return refuse('malformed', 'this address speaks WebSocket');
    }
    if (stopping()) return refuse('shutting_down');
    return connections.full(c.env.network, caller, store.configuration().connections_per_address);
  };
  const foreignPage = (c: Ctx): Refusal | undefined =>
    originAllowed(c, store.configuration()) ? undefined : refuse('origin_refused');
  const upgrade = (c: Ctx, caller: Caller, connect: Connect, sizes = bytes[caller]): boolean =>
    c.env.upgrade({ ...sizes, connect: connections.counted(c.env.network, caller, connect) });
  const upgraded = (done: boolean): Response =>
    done ? new Response(null) : problem(refuse('malformed', 'not a WebSocket handshake'));

  const routes = describedRoutes();
  routes
    .get('/ws', (c) => {
      const refused = refusedFirst(c, 'client') ?? foreignPage(c);
      if (refused !== undefined) return problem(refused);
      const { network } = c.env;
      const visitor = { base: socketBase(c, store.configuration()), network, account: c.var.caller };
      return upgraded(upgrade(c, 'client', clients.connect(visitor)));
    })
    .get('/agent', (c) => {
      // An agent is a program; a page that got hold of a key is an attack.
      const fromPage =
        c.req.header('origin') === undefined ? undefined : refuse('origin_refused', 'agents send none');
      const key = bearer(c.req.header('authorization'));
      const caller = isHostKey(world, key) ? 'agent' : 'stranger';
      const refused = refusedFirst(c, caller) ?? fromPage;
      if (refused !== undefined) return problem(refused);
      if (key === undefined) {
        world.log.warn({ network: c.env.network }, 'an agent without a key was refused');
        return problem(refuse('unauthorized', 'Authorization: Bearer <key>'));
      }
      return upgraded(upgrade(c, caller, agents.connect(key)));
    });
  return routes.openapi(signalling, async (c) => {
    const refused = refusedFirst(c, 'player') ?? foreignPage(c);
    if (refused !== undefined) return problem(refused);
    const id = c.req.valid('param').id;
    const { ticket: said, resumable } = c.req.valid('query');
    const ticket = bareTicket(said);
    const sizes = resumable === undefined ? browser : resuming;
    const turnAway = (refusal: Refusal) => {
      world.log.info({ session: id, network: c.env.network, ...refusal }, 'a player was refused');
      world.meters.refusals.count({ code: refusal.refused });
      return refusedPlayer(c.env.network, refusal);
    };
    const holder = await holderElsewhere(world, id);
    if (holder !== undefined) {
      const opening = { ask: 'player', session: id, ticket, resumable } as const;
      return upgraded(upgrade(c, 'player', forwardPlayer(world, holder, opening, turnAway), sizes));
    }
    const member = useTicket(world, id, ticket);
    if (isRefusal(member)) return upgraded(upgrade(c, 'player', turnAway(member)));
    const done = upgrade(c, 'player', connectPlayer(world, member, resumable), sizes);
    if (!done) {
      playerGone(world, id, member.participant.id, { cut: false, streamed: false, ticket: member.ticket });
    }
    return upgraded(done);
  });
};
