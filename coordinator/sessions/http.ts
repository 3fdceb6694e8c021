import type { OpenAPIHono } from '@hono/zod-openapi';
import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import type { Ticket } from '../../shared/protocol/http.ts';
import { budget } from '../kit/budget.ts';
import { socketBase } from '../kit/http-addresses.ts';
import { as } from '../kit/http-asked.ts';
import { callerWith } from '../kit/http-caller.ts';
import type { Ctx, Env } from '../kit/http-env.ts';
import { describedRoutes } from '../kit/http-openapi.ts';
import { answer, problem } from '../kit/http-problems.ts';
import { repeatableOf } from '../kit/idempotency.ts';
import { bearer } from '../kit/secrets.ts';
import type { Knock } from '../store/tables.ts';
import { endForEverybody, listSessions } from './admin.ts';
import { sessionAt } from './change.ts';
import { extendSession } from './extensions.ts';
import { ticketFor } from './holder.ts';
import { sessionDescriptions as described } from './http-descriptions.ts';
import { describeKnock, leaveKnock } from './knocks.ts';
import type { World } from './live.ts';
import {
  admitGuest,
  callerOf,
  type Door,
  endSession,
  joinSession,
  leaveSession,
  type Membership,
  noteActivity,
} from './members.ts';
import { createSession } from './starts.ts';
import { describeSession, seenBy } from './view.ts';
import type { Waiting } from './waiting.ts';

export interface SessionNeeds {
  readonly world: World;
  readonly waiting: Waiting;
}

/** Who the caller is in the session that the path names. */
const caller = (world: World, c: Ctx): Promise<Membership | Knock | Refusal> =>
  callerOf(world, c.req.param('id') ?? '', bearer(c.req.header('authorization')));

const isKnock = (who: Membership | Knock): who is Knock => 'participant_id' in who;

const join = async ({ world }: SessionNeeds, c: Ctx, door: Door): Promise<Response> => {
  const joined = await joinSession(world, door, c.env.network);
  if (isRefusal(joined) && joined.refused === 'code_unknown') world.meters.wrong_codes.count();
  return answer(c, joined);
};

/** The same for who waits at the door: it changes once, when the owner opens. */
const showKnock = async (
  { world, waiting }: SessionNeeds,
  c: Ctx,
  knock: Knock,
  after: string | undefined,
): Promise<Response> => {
  const shown = describeKnock(world, knock);
  if (after === undefined || shown.version > Number(after)) return answer(c, shown);
  await waiting.change(knock.id, c.req.raw.signal);
  const now = await caller(world, c);
  if (isRefusal(now)) return problem(now);
  if (isKnock(now)) return answer(c, describeKnock(world, now));
  return answer(c, describeSession(world, now.session, seenBy(now.session, now.participant.id)));
};

/** The session; with `?after=<version>` only once it has a later version, or after the longest wait. */
const show = async (
  { world, waiting }: SessionNeeds,
  c: Ctx,
  after: string | undefined,
): Promise<Response> => {
  const member = await caller(world, c);
  if (isRefusal(member)) return problem(member);
  if (isKnock(member)) return showKnock({ world, waiting }, c, member, after);
  const { session } = member;
  if (after !== undefined && session.version <= Number(after)) {
    await waiting.change(session.id, c.req.raw.signal);
  }
  const now = await sessionAt(world, session.id);
  if (now === undefined) return problem(refuse('session_unknown'));
  // Who was sent away from the lobby sees no more of the session, and the page stops asking.
  const self = now.participants.find(({ id }) => id === member.participant.id);
  if (self?.away === true && !self.admitted) return problem(refuse('forbidden'));
  return answer(c, describeSession(world, now, seenBy(now, member.participant.id)));
};

const ticket = async ({ world }: SessionNeeds, c: Ctx): Promise<Response> => {
  const member = await caller(world, c);
  if (isRefusal(member)) return problem(member);
  if (isKnock(member)) return problem(refuse('lobby_waiting'));
  const issued = await ticketFor(world, member);
  if (isRefusal(issued)) return problem(issued);
  const base = socketBase(c, world.store.configuration());
  const url = new URL(`/api/v1/sessions/${member.session.id}/signalling`, base);
  url.searchParams.set('ticket', issued.ticket);
  const { expires, resumable } = issued;
  return c.json({ signalling_url: url.href, expires, resumable } satisfies Ticket);
};

/** What a participant does, answered without a body; `knocking` where the caller waits at the door. */
const byMember = async (
  world: World,
  c: Ctx,
  run: (member: Membership) => unknown,
  knocking: (knock: Knock) => unknown,
): Promise<Response> => {
  const member = await caller(world, c);
  if (isRefusal(member)) return problem(member);
  const result = await (isKnock(member) ? knocking(member) : run(member));
  return isRefusal(result) ? problem(result) : c.body(null, 204);
};

/** Lines a second, and at once, that pages may add to the log. */
const [lines_per_second, lines_at_once] = [1, 30];

/** Puts what a browser said into the log; beyond the lines that pages have, it is dropped. */
const troubles = (world: World) => {
  const allows = budget(world.clock, lines_per_second, lines_at_once);
  return ({ session, participant }: Membership, said: string): void => {
    if (!allows(1)) return;
    const { id, app, host } = session;
    world.log.warn(
      { session: id, participant: participant.id, app, host, said },
      'a browser shows no picture',
    );
  };
};

/** What an owner decides; it is stored by then: a restart must not take it back. */
const byOwner = (world: World, c: Ctx, run: (member: Membership) => unknown): Promise<Response> =>
  byMember(world, c, run, () => refuse('forbidden'));

/** Sessions and their participants, under `/api/v1`. */
export const sessionRoutes = (needs: SessionNeeds): OpenAPIHono<Env> => {
  const { world } = needs;
  const note = troubles(world);
  return describedRoutes()
    .openapi(described.create, async (c) => {
      const body = c.req.valid('json');
      const account = c.var.caller;
      const key = c.req.valid('header')['idempotency-key'];
      const repeatable = repeatableOf('sessions', { account, network: c.env.network }, key, body);
      return answer(
        c,
        await createSession(world, { ...body, account, network: c.env.network, repeatable }),
        201,
      );
    })
    .openapi(described.join, (c) => join(needs, c, c.req.valid('json')))
    .openapi(described.show, (c) => show(needs, c, c.req.valid('query').after))
    .openapi(described.activity, (c) =>
      byMember(
        world,
        c,
        (member) => noteActivity(world, member),
        () => undefined,
      ),
    )
    .openapi(described.trouble, (c) => {
      const { text } = c.req.valid('json');
      return byMember(
        world,
        c,
        (member) => note(member, text),
        () => undefined,
      );
    })
    .openapi(described.admission, (c) => {
      const { participant_id, admitted } = c.req.valid('json');
      return byOwner(world, c, (member) => admitGuest(world, member, participant_id, admitted));
    })
    .openapi(described.extension, async (c) => {
      const member = await caller(world, c);
      if (isRefusal(member)) return problem(member);
      const extended = isKnock(member) ? refuse('forbidden') : await extendSession(world, member);
      return isRefusal(extended)
        ? problem(extended)
        : answer(c, describeSession(world, extended, { admitted: true, owner: true }));
    })
    .openapi(described.list, (c) =>
      as(c, 'operator', async () => answer(c, { sessions: await listSessions(world) })),
    )
    .openapi(described.end, async (c) => {
      const operator = callerWith(c, 'operator');
      if (isRefusal(operator)) return byOwner(world, c, (member) => endSession(world, member));
      const ended = await endForEverybody(world, operator, c.req.valid('param').id);
      return isRefusal(ended) ? problem(ended) : c.body(null, 204);
    })
    .openapi(described.ticket, (c) => ticket(needs, c))
    .openapi(described.leave, (c) =>
      byMember(
        world,
        c,
        (member) => leaveSession(world, member),
        (knock) => leaveKnock(world, knock),
      ),
    );
};
