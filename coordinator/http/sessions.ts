import { Hono } from 'hono';
import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { createSessionSchema, joinSchema, type Ticket } from '../../shared/protocol/http.ts';
import type { Guesses } from '../broker/guesses.ts';
import {
  endSession,
  issueTicket,
  joinSession,
  leaveSession,
  type Membership,
  memberOf,
} from '../broker/sessions.ts';
import { createSession } from '../broker/starts.ts';
import { describeSession, type World } from '../broker/world.ts';
import { bearer } from '../secrets.ts';
import type { Ctx, Env } from './env.ts';
import { socketBase } from './guards.ts';
import { answer, problem, readBody } from './problems.ts';
import type { Waiting } from './waiting.ts';

export interface SessionNeeds {
  readonly world: World;
  readonly guesses: Guesses;
  readonly waiting: Waiting;
}

/** Who the caller is in the session that the path names. */
const caller = (world: World, c: Ctx): Membership | Refusal =>
  memberOf(world, c.req.param('id') ?? '', bearer(c.req.header('authorization')));

const join = async ({ world, guesses }: SessionNeeds, c: Ctx): Promise<Response> => {
  const { network } = c.env;
  const body = await readBody(c, joinSchema);
  const refused = isRefusal(body) ? body : 'code' in body ? guesses.check(network) : undefined;
  if (refused !== undefined || isRefusal(body)) return problem(refused ?? refuse('malformed'));
  const joined = await joinSession(world, body);
  if (isRefusal(joined) && joined.refused === 'code_unknown') guesses.wrong(network);
  return answer(c, joined);
};

/** The session; with `?after=<version>` only once it has a later version, or after the longest wait. */
const show = async ({ world, waiting }: SessionNeeds, c: Ctx): Promise<Response> => {
  const after = c.req.query('after');
  if (after !== undefined && !/^\d{1,15}$/.test(after)) {
    return problem(refuse('malformed', 'after: a version, like 3'));
  }
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
export const sessionRoutes = (needs: SessionNeeds): Hono<Env> => {
  const { world } = needs;
  return new Hono<Env>()
    .post('/sessions', async (c) => {
      const body = await readBody(c, createSessionSchema);
      return answer(
        c,
        isRefusal(body) ? body : await createSession(world, { ...body, account: c.var.caller }),
        201,
      );
    })
    .post('/join', (c) => join(needs, c))
    .get('/sessions/:id', (c) => show(needs, c))
    .delete('/sessions/:id', (c) => {
      const member = caller(world, c);
      const ended = isRefusal(member) ? member : endSession(world, member);
      return isRefusal(ended) ? problem(ended) : c.body(null, 204);
    })
    .post('/sessions/:id/tickets', (c) => ticket(needs, c))
    .post('/sessions/:id/leave', (c) => {
      const member = caller(world, c);
      if (isRefusal(member)) return problem(member);
      leaveSession(world, member);
      return c.body(null, 204);
    });
};
