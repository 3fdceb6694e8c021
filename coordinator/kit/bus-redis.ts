import { z } from 'zod';
import type { Clock } from '../../shared/clock.ts';
import type { Ids } from '../../shared/ids.ts';
import type { Log } from '../../shared/log.ts';
import { patiently } from '../../shared/redis.ts';
import type { Bus } from './bus.ts';
import { bounds } from './limits.ts';
import { createPipes } from './pipes.ts';
import { createPresence, type Said } from './presence.ts';
import { openLine } from './redis-line.ts';
import { membersScript, presentScript, takeScript } from './redis-scripts.ts';
import { createTeller } from './teller.ts';
import { createTopics } from './topics.ts';

const prefix = 'vitrina:bus:';
/** What everybody hears: one channel, so that who begins to listen to a topic waits for nothing. */
const hints = `${prefix}hints`;
const mailOf = (process: string) => `${prefix}mail:${process}`;
const groupOf = (group: string) => `${prefix}group:${group}`;

/** Another release may say more; one that says nothing of this has perhaps told anything. */
const hintSchema = z.object({
  from: z.string().default(''),
  topics: z.array(z.string()).default([]),
  missed: z.boolean().default(false),
});

const readHint = (payload: Buffer): z.infer<typeof hintSchema> => {
  try {
    return hintSchema.parse(JSON.parse(payload.toString()));
  } catch {
    return { from: '', topics: [], missed: true };
  }
};

const membersSchema = z.array(z.string());
const waitSchema = z.int();

const away_note = 'Redis is away: coordinators do not reach each other, and each counts requests for itself';

interface RedisBusNeeds {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/**
 * The bus of all coordinators on the Redis at `url`. A start waits for it a little, and goes on without. Throws when the address is wrong.
 */
export const openRedisBus = async (url: string, { clock, ids, log }: RedisBusNeeds): Promise<Bus> => {
  const id = ids.id();
  const topics = createTopics(log);
  const presence = createPresence(clock);
  const say = ({ group, member, said, until }: Said) => {
    const ttl_ms = Math.ceil(until - clock.monotonic());
    return ttl_ms > 0 ? line.run(presentScript, groupOf(group), member, String(ttl_ms), said) : undefined;
  };
  const teller = createTeller({
    hint: (hint) => line.publish(hints, Buffer.from(JSON.stringify({ from: id, ...hint }))),
    member: async (said) => say(said),
    // The line tells when it is lost; a member is said again before its time is over.
    failed: (error) => log.debug({ error }, 'the bus could not tell'),
  });
  const pipes = createPipes({ id, clock, log, post: (process, mail) => line.publish(mailOf(process), mail) });

  const hear = ({ from, topics: told, missed }: z.infer<typeof hintSchema>) => {
    if (from === id) return;
    for (const topic of told) topics.told(topic);
    if (!missed) return;
    // Its pipes went when it was away.
    pipes.lost(from);
    topics.missed();
  };
  let was_down = false;
  const line = openLine(url, {
    clock,
    own: mailOf(id),
    channels: [hints],
    up() {
      if (was_down) {
        log.info('Redis is back');
        teller.missed();
      }
      topics.missed();
      for (const said of presence.all()) teller.member(said);
    },
    down(error) {
      was_down = true;
      log.warn({ error }, away_note);
      teller.clear();
      pipes.lost();
    },
    message: (channel, payload) => (channel === hints ? hear(readHint(payload)) : pipes.arrived(payload)),
  });
  const stopTicker = clock.every(bounds.pipe_beat_ms, pipes.tick);
  await patiently(clock, line.arrived);

  return {
    id,
    tell(topic) {
      topics.told(topic);
      if (line.isUp()) teller.topic(topic);
    },
    listen: topics.listen,
    present(group, member, ttl_ms, said) {
      const until = clock.monotonic() + ttl_ms;
      if (presence.put(group, member, ttl_ms, said) && line.isUp())
        teller.member({ group, member, said, until });
    },
    absent(group, member) {
      if (presence.remove(group, member)) void line.remove(groupOf(group), member).catch(() => undefined);
    },
    async members(group) {
      const own = presence.members(group);
      const found = await line.run(membersScript, groupOf(group)).then(membersSchema.parse, () => []);
      const pairs = found.flatMap((member, at) =>
        at % 2 === 0 ? [[member, found[at + 1] ?? ''] as const] : [],
      );
      return new Map([...pairs, ...own]);
    },
    async take(share, { count, window_ms }) {
      if (!line.isUp()) return undefined;
      const key = `vitrina:rate:${share}`;
      return line
        .run(takeScript, key, String(count), String(window_ms))
        .then(waitSchema.parse, () => undefined);
    },
    dial: pipes.dial,
    accept: pipes.accept,
    health: () => (line.isUp() ? { ok: true } : { ok: false, note: away_note }),
    async stop() {
      stopTicker();
      pipes.stop();
      const gone = presence.all().map(({ group, member }) => line.remove(groupOf(group), member));
      await Promise.allSettled(gone);
      line.close();
    },
  };
};
