import { z } from 'zod';
import { type ErrorCode, errors, isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { isElsewhere } from '../catalogue/elsewhere.ts';
import type { PipeEnd } from '../kit/bus.ts';
import { bounds } from '../kit/limits.ts';
import type { World } from './live.ts';
import { issueTicket, type Membership } from './members.ts';

/** Under this group each coordinator says on the bus which process goes by its name. */
const group = 'coordinators';
const present_ms = 15_000;

/** Says that this process is the coordinator of its name. */
export const sayPresent = ({ bus, store }: Pick<World, 'bus' | 'store'>): void =>
  bus.present(group, store.configuration().coordinator_name, present_ms, bus.id);

/** The process of the coordinator that has the session's host, where that is another one and can be reached. */
const holderOf = async (world: World, host: string): Promise<string | undefined> => {
  const row = await world.db.read(({ hosts }) => hosts.get({ name: host }));
  if (row?.held_by == null || !isElsewhere(world, row)) return undefined;
  return (await world.bus.members(group)).get(row.held_by);
};

/** The same for the session with this id; undefined for one whose host's link is here, or nowhere. */
export const holderElsewhere = async (world: World, session_id: string): Promise<string | undefined> => {
  const here = world.sessions.get(session_id);
  if (!world.db.shared || (here !== undefined && world.links.has(here.host))) return undefined;
  const host = here?.host ?? (await world.db.read(({ sessions }) => sessions.get({ id: session_id })))?.host;
  return host === undefined ? undefined : holderOf(world, host);
};

/** What one coordinator opens a pipe to another one for: a ticket, or a player that is to be carried. */
export const openingSchema = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('ticket'), session: z.string(), participant: z.string() }),
  z.object({
    ask: z.literal('player'),
    session: z.string(),
    ticket: z.string(),
    resumable: z.string().optional(),
  }),
]);
export type Opening = z.infer<typeof openingSchema>;

/** A ticket for one signalling connection, until when (epoch ms) it is good, and whether the page may come back to its channel. */
export const issuedSchema = z.object({ ticket: z.string(), expires: z.number(), resumable: z.boolean() });
export type Issued = z.infer<typeof issuedSchema>;

/** A ticket of a session that is here; host_offline while there is no link to its host. */
export const issueHere = (world: World, member: Membership): Issued | Refusal => {
  const issued = issueTicket(world, member);
  const link = world.links.get(member.session.host);
  if (isRefusal(issued)) return issued;
  return link === undefined ? refuse('host_offline') : { ...issued, resumable: link.resumes };
};

const refusalSchema: z.ZodType<Refusal> = z.object({
  refused: z.custom<ErrorCode>((code) => typeof code === 'string' && Object.hasOwn(errors, code)),
  detail: z.string().exactOptional(),
  retry_after: z.number().exactOptional(),
});

export const bytesOf = (message: object): Uint8Array => Buffer.from(JSON.stringify(message));

/** What the other end answers; undefined when it is none of that. */
export const answerOf = <T>(schema: z.ZodType<T>, bytes: Uint8Array): T | Refusal | undefined => {
  try {
    return z.union([schema, refusalSchema]).parse(JSON.parse(Buffer.from(bytes).toString()));
  } catch {
    return undefined;
  }
};

/** Asks the process for a ticket; host_offline when it does not answer. */
const askTicket = (world: World, process: string, opening: Opening): Promise<Issued | Refusal> =>
  new Promise((resolve) => {
    const give = (answer: Issued | Refusal) => {
      cancel();
      resolve(answer);
    };
    const away = () => give(refuse('host_offline'));
    const cancel = world.clock.after(bounds.neighbour_answer_ms, () => {
      pipe.close(1000, '');
      away();
    });
    const end: PipeEnd = {
      data: (bytes) => give(answerOf(issuedSchema, bytes) ?? refuse('host_offline')),
      closed: away,
      lost: away,
    };
    const pipe = world.bus.dial(process, bytesOf(opening), end);
  });

/** A ticket for one signalling connection, whichever coordinator has the session's host. */
export const ticketFor = async (world: World, member: Membership): Promise<Issued | Refusal> => {
  const { session, participant } = member;
  const here = world.sessions.has(session.id);
  // Without its link the host may have gone to another coordinator by now.
  const process = here && world.links.has(session.host) ? undefined : await holderOf(world, session.host);
  if (process === undefined) return here ? issueHere(world, member) : refuse('host_offline');
  return askTicket(world, process, { ask: 'ticket', session: session.id, participant: participant.id });
};
