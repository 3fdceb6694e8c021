import { z } from 'zod';
import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import { openRedis, patiently, type Redis } from '../../shared/redis.ts';
import { type Channel, isNo, type No, type Outcome, type Peer } from '../domain/peers/outcome.ts';
import { changeScript, inboxScript } from './redis-script.ts';
import type { PeerStore, Refs } from './store.ts';

const prefix = 'vitrina:peers:';
/** A change is tried again when another process was faster, so often. */
const attempts = 50;
const expired_batch = 100;
const answer_ms = 5_000;

const names = z.array(z.string());
const peerSchema: z.ZodType<Peer> = z.object({
  name: z.string(),
  network: z.string().optional(),
  seal: z.string(),
  session: z.string(),
  channels: names,
  may_broadcast: z.boolean(),
  away: z.string().optional(),
});
const channelSchema: z.ZodType<Channel> = z.object({
  name: z.string(),
  network: z.string().optional(),
  seal: z.string(),
  operator: z.string(),
  members: names,
  banned: names,
  invited: names,
});
const rawSchema = z.array(z.string().nullable());
const inboxSchema = z.tuple([z.number(), z.array(z.tuple([z.string(), z.tuple([z.string(), z.string()])]))]);

type Raw = readonly (readonly [hash: 'peers' | 'channels', name: string, text: string | null])[];

const parsed = <T>(raw: Raw, hash: 'peers' | 'channels', schema: z.ZodType<T>): Map<string, T> =>
  new Map(
    raw.flatMap(([of, name, text]): [string, T][] =>
      of === hash && text !== null ? [[name, schema.parse(JSON.parse(text))]] : [],
    ),
  );

type Loaded = Awaited<ReturnType<typeof load>>;

/** Whether a record is made that was not there: then what its network holds must be what was seen. */
const makesNew = (raw: Raw, { peers = [], channels = [] }: Outcome): boolean =>
  [...peers, ...channels].some(({ name }) => raw.some(([, of, text]) => of === name && text === null));

/** What the script is told: what must still be so, and what is to be so. */
const changeText = ({ raw, held, network, records }: Loaded, outcome: Outcome): string =>
  JSON.stringify({
    expect: raw.map(([hash, name, text]) => [hash, name, text ?? false]),
    ...(held === undefined ? {} : { held: [held[0], held[1] ?? false] }),
    ...(network === undefined || !makesNew(raw, outcome)
      ? {}
      : { of: [network, records.held.peers, records.held.channels] }),
    put: [
      ...(outcome.peers ?? []).map((peer) => ['peers', peer.name, JSON.stringify(peer)]),
      ...(outcome.channels ?? []).map((channel) => ['channels', channel.name, JSON.stringify(channel)]),
    ],
    ...(outcome.gone?.peer === undefined ? {} : { gone_peer: outcome.gone.peer }),
    ...(outcome.gone?.channel === undefined ? {} : { gone_channel: outcome.gone.channel }),
    ...(outcome.lease === undefined ? {} : { lease: [outcome.lease.peer, outcome.lease.until] }),
    mail: (outcome.mail ?? []).map((mail) => ({
      ...('to' in mail ? { to: mail.to } : { but: mail.everybody_but }),
      text: JSON.stringify(mail.event),
    })),
  });

type Send = Redis['send'];

/** Everything that a decision sees, as it stands in Redis. */
const load = async (send: Send, { peers, channels = [], lease, network }: Refs) => {
  const ofNetwork = (hash: 'peers_of' | 'channels_of') =>
    network === undefined ? null : send('HGET', `${prefix}${hash}`, network);
  const fields = async (hash: 'peers' | 'channels', wanted: readonly string[]) => {
    const texts = wanted.length === 0 ? [] : await send('HMGET', `${prefix}${hash}`, ...wanted);
    const found = rawSchema.parse(texts);
    return wanted.map((name, at) => [hash, name, found[at] ?? null] as const);
  };
  const unique = [...new Set(peers)];
  const [peer_rows, channel_rows, peer_count, channel_count, until, peers_of, channels_of] =
    await Promise.all([
      fields('peers', unique),
      fields('channels', [...new Set(channels)]),
      send('HLEN', `${prefix}peers`),
      send('HLEN', `${prefix}channels`),
      lease === undefined ? null : send('ZSCORE', `${prefix}leases`, lease),
      ofNetwork('peers_of'),
      ofNetwork('channels_of'),
    ]);
  const raw = [...peer_rows, ...channel_rows];
  const score = z.coerce.string().nullable().parse(until);
  return {
    raw,
    network,
    held: lease === undefined ? undefined : ([lease, score] as const),
    records: {
      peers: parsed(raw, 'peers', peerSchema),
      channels: parsed(raw, 'channels', channelSchema),
      leases: new Map(lease === undefined || score === null ? [] : [[lease, Number(score)]]),
      totals: { peers: Number(peer_count), channels: Number(channel_count) },
      held: { peers: Number(peers_of ?? 0), channels: Number(channels_of ?? 0) },
    },
  };
};

/**
 * A network of all processes on one Redis. While Redis is away every change is refused; the clients come back by
 * themselves, and listeners are then woken for everybody, because what was published meanwhile is lost.
 */
export const openRedisStore = async (url: string, clock: Clock, log: Log): Promise<PeerStore> => {
  const listeners = new Set<(peer?: string) => void>();
  const wake = (peer?: string): void => {
    for (const listener of listeners) listener(peer);
  };
  const listening = Promise.withResolvers<void>();
  const subscribe = async (): Promise<void> => {
    try {
      await news.subscribe([`${prefix}wake`]);
      listening.resolve();
      wake();
    } catch (error) {
      log.error({ error }, 'cannot listen to Redis');
    }
  };
  let away = false;
  const failed = (error: unknown): No => {
    if (!away) log.error({ error }, 'Redis is away');
    away = true;
    return { no: 'unavailable' };
  };
  const commands = openRedis(url, answer_ms, {
    ready() {
      away = false;
      log.info('connected to Redis');
    },
    away: failed,
  });
  const { send } = commands;
  const news = openRedis(url, answer_ms, {
    ready: () => void subscribe(),
    away: () => undefined, // the other connection tells of it
    message: (_, name) => wake(name.length === 0 ? undefined : name.toString()),
  });
  // Without Redis the server starts all the same.
  await patiently(clock, Promise.all([commands.arrived, listening.promise]));

  return {
    async change(refs, decide) {
      try {
        for (let attempt = 0; attempt < attempts; attempt++) {
          const loaded = await load(send, refs);
          const decision = decide(loaded.records);
          if (isNo(decision)) return decision;
          const done = await send('EVAL', changeScript, '1', prefix, changeText(loaded, decision));
          away = false;
          if (done === 1) return decision;
        }
        return { no: 'unavailable', detail: 'too many at once' };
      } catch (error) {
        return failed(error);
      }
    },
    async inbox(peer, session, after) {
      const found = await send('EVAL', inboxScript, '1', prefix, peer, session, String(after ?? ''));
      if (found === null) return undefined;
      const [had, entries] = inboxSchema.parse(found);
      const mail = entries.map(([id, [, text]]) => ({ seq: Number(id.slice(2)), text }));
      return { mail, lost: Math.max(0, (mail[0]?.seq ?? had + 1) - had - 1), had };
    },
    async keep(peers, until) {
      if (peers.length === 0) return void (await send('PING'));
      await send('ZADD', `${prefix}leases`, 'XX', ...peers.flatMap((name) => [String(until), name]));
    },
    expired: async (now) =>
      names.parse(
        await send(
          'ZRANGEBYSCORE',
          `${prefix}leases`,
          '-inf',
          String(now),
          'LIMIT',
          '0',
          String(expired_batch),
        ),
      ),
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop() {
      listeners.clear();
      for (const connection of [commands, news]) connection.close();
    },
  };
};
