import { type ErrorCode, refuse } from '../../shared/errors.ts';
import { networkOf } from '../../shared/network.ts';
import type { MessageOf } from '../../shared/protocol/message.ts';
import { fromPeer, type PeerError, peerErrors, type toPeer } from '../../shared/protocol/peers.ts';
import { closeWith, door, type Wire } from '../../shared/socket.ts';
import { describe } from '../domain/peers/identity.ts';
import { isNo, type No } from '../domain/peers/outcome.ts';
import type { Metrics } from '../metrics.ts';
import { commandFrame } from './command.ts';
import { type Courier, createCourier } from './courier.ts';
import { peerHandlers, type Speaker } from './handlers.ts';
import { quit } from './network.ts';
import { createQueue } from './queue.ts';
import type { Connection, PeerServices } from './services.ts';

/** A connection that has not said who it is by then is closed. */
const describe_ms = 5_000;
/** The longest first frame of a connection. */
const first_frame_bytes = 4 * 1024;
/** The peer has come back over another connection, or the store has lost it. */
const superseded_close = {
  code: 4409,
  reason: 'This connection no longer speaks for the peer. Describe again.',
};

/** The door's own refusals as numbers of this protocol. */
const doorErrors: Partial<Record<ErrorCode, PeerError>> = {
  malformed: 'malformed',
  unknown_verb: 'unknown_command',
};

/** A peer that is described. */
interface Identity {
  name: string;
  session: string;
  /** Whose share its channels count to. */
  network: string | undefined;
  courier: Courier;
}

const idOf = (message: unknown): { id?: string } => {
  const { id } = (typeof message === 'object' && message !== null ? message : {}) as { id?: unknown };
  return typeof id === 'string' && id.length <= 64 ? { id } : {};
};

/** Joins a socket to the network: commands in, answers and mail out. */
export const createConnection = (wire: Wire, services: PeerServices, count: Metrics['count']): Connection => {
  const { store, clock, ids, log, local, quotas, rates, seal, isBroadcastToken, rate } = services;
  const network = networkOf(wire.remote);
  let me: Identity | undefined;
  let spoken = false;
  let closed = false;

  const send = (message: MessageOf<typeof toPeer>): boolean => wire.send(JSON.stringify(message));
  const refused = ({ no, detail }: No, id: { id?: string }): void => {
    const { number, text } = peerErrors[no];
    send({
      msg: 'error',
      number,
      error: no,
      text: detail === undefined ? text : `${text} (${detail})`,
      ...id,
    });
  };
  const failed = (error: unknown): void => {
    log.error({ error, remote: wire.remote }, 'a peer command failed');
    refused({ no: 'internal' }, {});
  };
  const enqueue = createQueue(failed);
  const cancelDeadline = clock.after(describe_ms, () =>
    closeWith(wire, refuse('unauthorized', 'describe yourself first, with descp, within 5 s')),
  );

  const superseded = (): void => wire.close(superseded_close.code, superseded_close.reason);

  const introduce: Speaker['describe'] = async ({ id, name, secret, after, broadcast_token }) => {
    const again = id === undefined ? {} : { id };
    if (closed) return;
    count('signalling_peer_commands_total', 'descp');
    if (me !== undefined) return refused({ no: 'already_described' }, again);
    if (broadcast_token !== undefined && !rates.has('wrong_tokens', wire.remote)) {
      return refused({ no: 'slow_down' }, again);
    }
    const may_broadcast = broadcast_token !== undefined && isBroadcastToken(broadcast_token);
    if (broadcast_token !== undefined && !may_broadcast) {
      rates.note('wrong_tokens', wire.remote);
      return refused({ no: 'forbidden', detail: 'wrong broadcast_token' }, again);
    }
    const session = ids.id();
    const fresh = ids.secret();
    const may_enter = rates.take('names', wire.remote);
    const claim = {
      network,
      names_of_network: quotas.names,
      name,
      session,
      shown_secret: secret,
      shown_seal: secret === undefined ? undefined : seal(secret),
      secret: fresh,
      seal: seal(fresh),
      may_broadcast,
      may_enter,
    };
    const outcome = await store.change({ peers: [name], network }, (records) =>
      describe(records, claim, clock.now()),
    );
    const resumed = !isNo(outcome) && outcome.answer.msg === 'described' && outcome.answer.resumed;
    if (may_enter && (resumed || isNo(outcome))) rates.giveBack('names', wire.remote);
    if (isNo(outcome)) return refused(outcome, again);
    cancelDeadline();
    const { answer } = outcome;
    let complained = false;
    const mailFailed = (error: unknown): void => {
      if (!complained) log.warn({ error, peer: name, remote: wire.remote }, 'cannot fetch mail');
      complained = true;
    };
    // A fresh mailbox knows nothing of the numbers of an earlier one.
    const had = resumed ? after : 0;
    const inbox = closed ? undefined : await store.inbox(name, session, had).catch(mailFailed);
    // A newcomer that was never told its secret could not come back.
    if (closed) return resumed ? undefined : quit(store, name, session);
    if (inbox === undefined && !complained) return superseded();
    const lost = inbox?.lost ?? 0;
    send({ ...(answer.msg === 'described' ? { ...answer, lost } : answer), ...again });
    const courier = createCourier({
      ...{ store, wire, clock, name, session, after: had, superseded, failed: mailFailed },
    });
    me = { name, session, network: outcome.peers?.[0]?.network, courier };
    local.get(name)?.supersede();
    local.set(name, connection);
    if (inbox !== undefined) courier.deliver(inbox);
    void courier.wake();
  };

  /** None while the store does not answer; what is asked of it next is then refused as well. */
  const channelsOf = async (name: string): Promise<readonly string[]> => {
    let channels: readonly string[] = [];
    await store.change({ peers: [name] }, (records) => {
      channels = records.peers.get(name)?.channels ?? [];
      return { no: 'not_described' };
    });
    return channels;
  };

  /** Whether the network may enter a channel once more; who guessed too often in vain only where it was invited. */
  const mayEnter = (enters: 'with_token' | 'invited'): boolean =>
    (enters === 'invited' || rates.has('wrong_tokens', wire.remote)) && rates.take('joins', wire.remote);

  const perform: Speaker['perform'] = async ({ id, verb }, needs, decide) => {
    const { peers = [], channels = [], enters } = needs;
    count('signalling_peer_commands_total', verb);
    const again = id === undefined ? {} : { id };
    if (me === undefined) return refused({ no: 'not_described' }, again);
    if (enters !== undefined && !mayEnter(enters)) return refused({ no: 'slow_down' }, again);
    const { name, session } = me;
    const of = me.network === undefined ? {} : { network: me.network };
    const wanted = channels === 'own' ? await channelsOf(name) : channels;
    const outcome = await store.change({ peers: [name, ...peers], channels: wanted, ...of }, (records) => {
      const own = records.peers.get(name);
      return own?.session === session ? decide(records, own) : { no: 'not_described' };
    });
    if (isNo(outcome)) {
      if (outcome.no === 'wrong_token' && enters === 'with_token') rates.note('wrong_tokens', wire.remote);
      refused(outcome, again);
    } else send({ ...outcome.answer, ...again });
  };

  const depart = async (): Promise<void> => {
    count('signalling_peer_commands_total', 'quit');
    if (me !== undefined) {
      if (local.get(me.name) === connection) local.delete(me.name);
      await quit(store, me.name, me.session);
    }
    wire.close(1000, 'Goodbye.');
  };

  const inOrder =
    <Args extends unknown[]>(run: (...args: Args) => Promise<void>) =>
    async (...args: Args): Promise<void> => {
      if (!enqueue(() => run(...args))) closeWith(wire, refuse('too_many_messages'));
    };
  const read = door({
    family: fromPeer,
    handlers: peerHandlers,
    context: {
      perform: inOrder(perform),
      describe: inOrder(introduce),
      depart: inOrder(depart),
      entry: (token) => ({
        seal: token === undefined ? undefined : seal(token),
        channels_of_network: quotas.channels,
      }),
    },
    wire,
    clock,
    log,
    rate,
    answer: ({ refused: code, detail }, message) => {
      const about = detail === undefined ? {} : { detail };
      const no = doorErrors[code] ?? 'internal';
      count('signalling_peer_bad_messages_total', no);
      void inOrder(async () => refused({ no, ...about }, idOf(message)))();
    },
  });

  const connection: Connection = {
    wake: () => void me?.courier.wake(),
    supersede: superseded,
    frame(frame) {
      const first = !spoken;
      spoken = true;
      if (first && frame.length > first_frame_bytes) return closeWith(wire, refuse('frame_too_large'));
      if (rates.take('commands', wire.remote)) return read(commandFrame(frame));
      void inOrder(async () => refused({ no: 'slow_down' }, {}))();
    },
    closed() {
      closed = true;
      cancelDeadline();
      me?.courier.stop();
      if (me === undefined || local.get(me.name) !== connection) return;
      local.delete(me.name);
      services.left(me.name);
    },
  };
  return connection;
};
