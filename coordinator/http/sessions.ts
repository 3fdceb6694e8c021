import type { OpenAPIHono } from '@hono/zod-openapi';
import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import type { Ticket } from '../../shared/protocol/http.ts';
import type { Guesses } from '../broker/guesses.ts';
import {
  createSession,
  endSession,
  issueTicket,
  joinSession,
  leaveSession,
  type Membership,
  memberOf,
} from '../broker/sessions.ts';
import { describeSession, type World } from '../broker/world.ts';
import { bearer } from '../secrets.ts';
import type { Ctx, Env } from './env.ts';
import { socketBase } from './guards.ts';
import { describedRoutes } from './openapi.ts';
import { answer, problem } from './problems.ts';
import { sessionDescriptions as described } from './session-descriptions.ts';
import type { Waiting } from './waiting.ts';

export interface SessionNeeds {
  readonly world: World;
  readonly guesses: Guesses;
  readonly waiting: Waiting;
}

/** Who the caller is in the session that the path names. */
const caller = (world: World, c: Ctx): Membership | Refusal =>
  memberOf(world, c.req.param('id') ?? '', bearer(c.req.header('authorization')));

const join = ({ world, guesses }: SessionNeeds, c: Ctx, code: string): Response => {
  const { network } = c.env;
  const refused = guesses.check(network);
  if (refused !== undefined) return problem(refused);
  const joined = joinSession(world, code);
  if (isRefusal(joined) && joined.refused === 'code_unknown') guesses.wrong(network);
  return answer(c, joined);
};

/** The session; with `?after=<version>` only once it has a later version, or after the longest wait. */
const show = async (
  { world, waiting }: SessionNeeds,
  c: Ctx,
  after: string | undefined,
): Promise<Response> => {
  const member = caller(world, c);
  if (isRefusal(member)) return problem(member);
  const { session } = member;
  if (after !== undefined && session.version <= Number(after)) {
    await waiting.change(session.id, c.req.raw.signal);
  }
  const now = world.sessions.get(session.id);
  return answer(c, now === undefined ? refuse('session_unknown') : describeSession(now));
};

const ticket = ({ world }: SessionNeeds, c: Ctx): Response => {
  const member = caller(world, c);
  const issued = isRefusal(member) ? member : issueTicket(world, member);
  if (isRefusal(issued) || isRefusal(member)) return problem(isRefusal(issued) ? issued : refuse('internal'));
  const base = socketBase(c, world.store.configuration());
  const url = new URL(`/api/v1/sessions/${member.session.id}/signalling`, base);
  url.searchParams.set('ticket', issued.ticket);
  return c.json({ signalling_url: url.href, expires: issued.expires } satisfies Ticket);
};

/** Sessions and their participants, under `/api/v1`. */
export const sessionRoutes = (needs: SessionNeeds): OpenAPIHono<Env> => {
  const { world } = needs;
  return describedRoutes()
    .openapi(described.create, (c) => answer(c, createSession(world, c.req.valid('json').app), 201))
    .openapi(described.join, (c) => join(needs, c, c.req.valid('json').code))
    .openapi(described.show, (c) => show(needs, c, c.req.valid('query').after))
    .openapi(described.end, (c) => {
      const member = caller(world, c);
      const ended = isRefusal(member) ? member : endSession(world, member);
      return isRefusal(ended) ? problem(ended) : c.body(null, 204);
    })
    .openapi(described.ticket, (c) => ticket(needs, c))
    .openapi(described.leave, (c) => {
      const member = caller(world, c);
      if (isRefusal(member)) return problem(member);
      leaveSession(world, member);
      return c.body(null, 204);
    });
};
