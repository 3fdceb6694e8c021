import { explain, isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { limits } from '../../shared/limits.ts';
import { fromClient, toClient } from '../../shared/protocol/client-verbs.ts';
import type { Participation } from '../../shared/protocol/http.ts';
import { encode, type Handlers, type MessageOf } from '../../shared/protocol/message.ts';
import { closeWith, door, type Peer, type Wire } from '../../shared/socket.ts';
import { accountNow } from '../accounts/logins.ts';
import { planBooking } from '../bookings/bookings.ts';
import { beyondRate } from '../kit/budget.ts';
import { Fenced } from '../kit/fenced.ts';
import { bounds } from '../kit/limits.ts';
import { dayFirst, isoDate } from '../kit/rules-time.ts';
import { Unavailable, Unreadable } from '../store/database.ts';
import type { Account } from '../store/tables.ts';
import { type Client, type ClientVisitor, isIdle, mayTakePart, type TakeStart } from './client.ts';
import type { World } from './live.ts';
import { joinSession } from './members.ts';
import { createSession } from './starts.ts';
import { answerWhenAdmitted, answerWhenReady, echo, portOf, sendError } from './verb-answers.ts';

/** The clients of `/ws`. */
export interface Clients {
  connect(visitor: ClientVisitor): (wire: Wire) => Peer;
  /** Closes connections that have been idle for too long. */
  tick(): void;
  /** Closes the connections of an account. */
  leave(account_id: string): void;
  /** Closes every connection. */
  stop(): void;
}

/**
 * Does what starts something, if the network's share allows it. What goes wrong in it is answered like a refusal, and
 * logged when nobody foresaw it.
 */
const attempt = async (client: Client, id: string | undefined, run: () => Promise<void>): Promise<void> => {
  try {
    const wait_ms = await client.takeStart(client.network);
    if (wait_ms > 0) return sendError(client, beyondRate(wait_ms), id);
    await run();
  } catch (error) {
    if (error instanceof Unavailable || error instanceof Unreadable || error instanceof Fenced)
      return sendError(client, error.refusal, id);
    const incident = client.world.ids.id();
    client.world.log.error({ error, incident }, 'a verb failed');
    sendError(client, refuse('internal', `incident ${incident}`), id);
  }
};

type PlanSession = Extract<MessageOf<typeof fromClient>, { verb: 'PLAN_SESSION' }>;

/** The client's account as it is now: a connection lives long. Unauthorized when it is out, undefined when there is none. */
const callerNow = async ({ world, account }: Client): Promise<Account | Refusal | undefined> =>
  account && ((await accountNow(world, account)) ?? refuse('unauthorized', 'log in and connect again'));

const planSession = async (
  { rc_name: app, id, date, ...when }: PlanSession,
  client: Client,
): Promise<void> => {
  const { verb: _, ...wanted } = when;
  const { world, network, base, send } = client;
  const site = new URL(`${base.protocol === 'wss:' ? 'https:' : 'http:'}//${base.host}`).origin;
  const account = await callerNow(client);
  if (isRefusal(account)) return sendError(client, account, id);
  const order = { app, ...wanted, date: isoDate(date) };
  const reply = await planBooking(world, order, { account, network, base: site });
  if (isRefusal(reply)) return sendError(client, reply, id);
  const { code, id: booking_id, starts_at, ends_at, invite_url, token } = reply;
  send({
    msg: 'CONNECTION_CODE',
    code,
    booking_id,
    starts_at,
    ends_at,
    date: dayFirst(reply.local.date),
    time: reply.local.time,
    zone: reply.local.zone,
    invite_url,
    ...(token === undefined ? {} : { token }),
    ...echo(id),
  });
};

/** Refusals that a client of the first design knows as SERVERS_BUSY. */
const noRoom: ReadonlySet<string> = new Set([
  'servers_busy',
  'app_offline',
  'codes_used_up',
  'visitor_share',
  'visitors_full',
]);

/** The same for what makes the client part of one more session. */
const takePart = (client: Client, id: string | undefined, run: () => Promise<void>): void => {
  const refused = mayTakePart(client);
  if (refused !== undefined) {
    sendError(client, refused, id);
    return;
  }
  client.starting += 1;
  void attempt(client, id, run).finally(() => {
    client.starting -= 1;
  });
};

const startFor = async (
  client: Client,
  app: string,
  language: string | undefined,
): Promise<Participation | Refusal> => {
  const account = await callerNow(client);
  return isRefusal(account)
    ? account
    : createSession(client.world, { app, account, language, network: client.network });
};

const handlers: Handlers<typeof fromClient, Client> = {
  GET_SERVERS: ({ range, id }, client) => {
    const [from = 0, to = 0] = range.split('-').map(Number);
    if (to < from || to - from >= bounds.servers_per_answer) {
      const asked = `GET_SERVERS range: from low to high, at most ${bounds.servers_per_answer} entries`;
      return sendError(client, refuse('malformed', asked), id);
    }
    const catalogue = client.world.catalogue.now();
    // Where the host is, is nobody's business: clients come to us.
    const here = { ip: client.base.hostname, port: portOf(client.base) };
    const servers = catalogue.servers.slice(from, to + 1).map((entry) => ({ ...entry, ...here }));
    if (servers.length === 0) client.send({ msg: 'SERVERS_NOT_FOUND', ...echo(id) });
    else client.send({ msg: 'SERVERS_FOUND', servers, ...echo(id) });
  },
  PLAN_SESSION: (message, client) => void attempt(client, message.id, () => planSession(message, client)),
  CREATE_SESSION: ({ rc_name, progress, language, id }, client) =>
    takePart(client, id, async () => {
      const created = await startFor(client, rc_name, language);
      if (!isRefusal(created)) {
        client.joined.add(created.session.id);
        return answerWhenReady(client, created, progress === true, id);
      }
      // A client of the first design knows only this "no": it is told why beside it.
      if (noRoom.has(created.refused)) {
        client.send({ msg: 'SERVERS_BUSY', reason: explain(created), ...echo(id) });
      } else sendError(client, created, id);
    }),
  CONNECT_SESSION_WITH_CODE: ({ code, name, id }, client) =>
    takePart(client, id, async () => {
      const { network, world } = client;
      const joined = await joinSession(world, { code, name }, network);
      if (!isRefusal(joined)) {
        client.joined.add(joined.session.id);
        const waits = joined.session.waiting.includes(joined.participant_id);
        if (waits) answerWhenAdmitted(client, joined, id);
        else answerWhenReady(client, joined, false, id);
        return;
      }
      if (joined.refused !== 'code_unknown') return sendError(client, joined, id);
      world.meters.wrong_codes.count();
      client.send({ msg: 'SESSION_NOT_EXIST', ...echo(id) });
    }),
};

const idOf = (message: unknown): string | undefined =>
  typeof message === 'object' &&
  message !== null &&
  'id' in message &&
  typeof message.id === 'string' &&
  message.id.length <= 64
    ? message.id
    : undefined;

/** Serves the verbs of the first design at `/ws`. */
export const createClients = (world: World, takeStart: TakeStart): Clients => {
  const { clock, ids, log } = world;
  const wires = new Map<Wire, Client>();

  const connect =
    (visitor: ClientVisitor) =>
    (wire: Wire): Peer => {
      const user_id = ids.id();
      const client: Client = {
        ...visitor,
        world,
        takeStart,
        joined: new Set(),
        starting: 0,
        gone: () => !wires.has(wire),
        waits: new Map(),
        send: (message) => void wire.send(encode(toClient, message)),
        heard: clock.monotonic(),
      };
      wires.set(wire, client);
      client.send({ msg: 'CONNECTED', user_id });
      const enter = door({
        family: fromClient,
        handlers,
        context: client,
        wire,
        clock,
        log: log.child({ user_id }),
        answer: (refusal, message) => sendError(client, refusal, idOf(message)),
        rate: { per_second: limits.messages_per_second, burst: limits.messages_burst },
      });
      return {
        frame(frame) {
          client.heard = clock.monotonic();
          enter(frame);
        },
        closed() {
          wires.delete(wire);
          for (const giveUp of [...client.waits.values()]) giveUp();
        },
      };
    };

  return {
    connect,
    tick() {
      const now = clock.monotonic();
      for (const [wire, client] of wires) if (isIdle(client, now)) closeWith(wire, refuse('idle'));
    },
    leave(account_id) {
      for (const [wire, { account }] of wires)
        if (account?.id === account_id) closeWith(wire, refuse('unauthorized'));
    },
    stop() {
      for (const wire of wires.keys()) closeWith(wire, refuse('shutting_down'));
    },
  };
};
