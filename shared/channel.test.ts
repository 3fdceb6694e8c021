import { describe, expect, test } from 'bun:test';
import { channelDue, stepChannel } from './channel.ts';
import {
  type Channel,
  type ChannelEvent,
  type ChannelRole,
  channel_limits,
  newChannel,
} from './channel-state.ts';
import { errors } from './errors.ts';
import type { ChannelFrame } from './protocol/player-channel.ts';
import { type Random, seeded } from './testing/random.ts';

/** One end, what it has handed on, and what it wants to be sent. */
const startEnd = (role: ChannelRole) => {
  const end = {
    channel: newChannel(role, 0) as Channel,
    got: [] as string[],
    begun: 0,
    dropped: [] as string[],
    over: undefined as { code: number; reason: string } | undefined,
    out: [] as ChannelFrame[],
    on(event: ChannelEvent, now = 0) {
      const { channel, effects } = stepChannel(end.channel, event, now);
      end.channel = channel;
      for (const effect of effects) {
        if (effect.type === 'send') end.out.push(effect.frame);
        if (effect.type === 'deliver') end.got.push(effect.text);
        if (effect.type === 'begin') end.begun += 1;
        if (effect.type === 'drop') end.dropped.push(effect.why);
        if (effect.type === 'over') end.over = effect;
      }
    },
    say: (text: string, now = 0) => end.on({ type: 'say', text, bytes: Buffer.byteLength(text) }, now),
    take: () => end.out.splice(0),
  };
  return end;
};
type End = ReturnType<typeof startEnd>;

/** Carries what waits, in both directions, until nothing does. */
const carryAll = (page: End, agent: End, now = 0) => {
  while (page.out.length + agent.out.length > 0) {
    for (const frame of page.take()) agent.on({ type: 'frame', frame }, now);
    for (const frame of agent.take()) page.on({ type: 'frame', frame }, now);
  }
};

const attach = (page: End, agent: End, now = 0) => {
  agent.on({ type: 'attached' }, now);
  page.on({ type: 'attached' }, now);
};

const detach = (page: End, agent: End, now = 0) => {
  for (const end of [page, agent]) {
    end.out.length = 0;
    end.on({ type: 'detached' }, now);
  }
};

const connected = () => {
  const page = startEnd('page');
  const agent = startEnd('agent');
  attach(page, agent);
  carryAll(page, agent);
  return { page, agent };
};

const lost = errors.channel_lost.close;

describe('stepChannel()', () => {
  test('stepChannel() sends at once what a fresh page says, and tells the agent that there is a player', () => {
    const page = startEnd('page');
    page.say('early');
    page.on({ type: 'attached' });
    page.say('next');
    expect(page.out).toEqual([
      { kind: 'open' },
      { kind: 'data', seq: 1, ack: 0, text: 'early' },
      { kind: 'data', seq: 2, ack: 0, text: 'next' },
    ]);
    const agent = startEnd('agent');
    agent.on({ type: 'attached' });
    carryAll(page, agent);
    expect([agent.got, agent.begun]).toEqual([['early', 'next'], 1]);
    expect(page.channel.phase).toBe('attached');
  });

  test('stepChannel() resumes with what the other end has not got, in order, once', () => {
    const { page, agent } = connected();
    page.say('one');
    agent.say('eins');
    carryAll(page, agent);
    // These leave, and never come.
    page.say('two');
    agent.say('zwei');
    detach(page, agent);
    page.say('three');
    agent.say('drei');
    attach(page, agent);
    carryAll(page, agent);
    expect(agent.got).toEqual(['one', 'two', 'three']);
    expect(page.got).toEqual(['eins', 'zwei', 'drei']);
    expect(agent.begun).toBe(1);
  });

  test('stepChannel() takes a second open for the same channel while the page has heard nothing', () => {
    const page = startEnd('page');
    const agent = startEnd('agent');
    attach(page, agent);
    page.say('hello');
    for (const frame of page.take()) agent.on({ type: 'frame', frame });
    agent.say('welcome');
    detach(page, agent);
    attach(page, agent);
    carryAll(page, agent);
    expect([agent.got, page.got, agent.begun]).toEqual([['hello'], ['welcome'], 1]);
  });

  test('stepChannel() confirms what came after a while, or with the next message, or after so many', () => {
    const { page, agent } = connected();
    page.say('x');
    carryAll(page, agent);
    expect(page.channel.kept).toHaveLength(1);
    expect(channelDue(agent.channel)).toBe(channel_limits.ack_ms);
    agent.on({ type: 'tick' }, channel_limits.ack_ms);
    expect(agent.out).toEqual([{ kind: 'ack', ack: 1 }]);
    carryAll(page, agent);
    expect([page.channel.kept.length, page.channel.kept_bytes, channelDue(agent.channel)]).toEqual([
      0,
      0,
      null,
    ]);
    page.say('y');
    carryAll(page, agent);
    agent.say('answer');
    carryAll(page, agent);
    expect(page.channel.kept).toHaveLength(0);
    for (let n = 0; n < channel_limits.ack_messages; n++) page.say(`${n}`);
    carryAll(page, agent);
    expect(page.channel.kept).toHaveLength(0);
    page.say('z'.repeat(channel_limits.ack_bytes));
    carryAll(page, agent);
    expect(page.channel.kept).toHaveLength(0);
  });

  test.each([
    ['messages', channel_limits.kept_messages, 'x'],
    ['bytes', 4, 'x'.repeat(channel_limits.kept_bytes / 4)],
  ])('stepChannel() loses the channel beyond the bound of %s, and the page hears of it', (_, most, text) => {
    const { page, agent } = connected();
    detach(page, agent);
    for (let n = 0; n < most; n++) agent.say(text);
    expect(agent.over).toBeUndefined();
    agent.say('one too many');
    expect(agent.over?.code).toBe(lost);
    // A new end for the same name, which the agent has forgotten.
    const forgotten = startEnd('agent');
    attach(page, forgotten);
    carryAll(page, forgotten);
    expect([page.over?.code, forgotten.over?.code, forgotten.begun]).toEqual([lost, lost, 0]);
    expect(page.over?.reason).toContain('recovered: false');
  });

  test('stepChannel() loses the channel at once on both ends when a slow reader lets too much wait', () => {
    const { page, agent } = connected();
    for (let n = 0; n <= channel_limits.kept_messages; n++) agent.say('x');
    expect(agent.over?.code).toBe(lost);
    carryAll(page, agent);
    expect(page.over?.code).toBe(lost);
  });

  test('stepChannel() waits for a new leg as long as it may, and no longer', () => {
    const { page, agent } = connected();
    detach(page, agent, 1_000);
    for (const end of [page, agent]) {
      expect(channelDue(end.channel)).toBe(1_000 + channel_limits.window_ms);
      end.on({ type: 'tick' }, 999 + channel_limits.window_ms);
      expect(end.over).toBeUndefined();
      end.on({ type: 'tick' }, 1_000 + channel_limits.window_ms);
      expect([end.over?.code, channelDue(end.channel)]).toEqual([lost, null]);
    }
  });

  test.each(['page', 'agent'] as const)(
    'stepChannel() carries the end of the %s to the other side',
    (role) => {
      const { page, agent } = connected();
      const [ending, other] = role === 'page' ? [page, agent] : [agent, page];
      ending.on({ type: 'end', code: 4001, reason: 'done' });
      carryAll(page, agent);
      expect(other.over).toMatchObject({ code: 4001, reason: 'done' });
      expect(ending.over).toBeUndefined();
      ending.say('too late');
      other.on({ type: 'end', code: 1000, reason: '' });
      expect([ending.out, other.out]).toEqual([[], []]);
    },
  );

  test('stepChannel() asks for a sign of life, and drops a leg that gives none', () => {
    const { page, agent } = connected();
    const { ping_ms, ping_answer_ms } = channel_limits;
    expect(channelDue(page.channel)).toBe(ping_ms);
    page.on({ type: 'tick' }, ping_ms);
    expect(page.out).toEqual([{ kind: 'ping', ack: 0 }]);
    carryAll(page, agent, ping_ms);
    expect(page.channel.asked_at).toBeNull();
    // A tab in the background is late itself; the answer has come all the same.
    page.on({ type: 'tick' }, 100 * ping_ms);
    expect(page.dropped).toEqual([]);
    page.on({ type: 'tick' }, 100 * ping_ms + ping_answer_ms);
    expect(page.dropped).toEqual(['no sign of life']);
  });

  test.each([
    ['a message before the greeting', 'agent', { kind: 'data', seq: 1, ack: 0, text: 'x' }, 'fresh'],
    ['a gap', 'agent', { kind: 'data', seq: 2, ack: 0, text: 'x' }, 'attached'],
    ['a second greeting', 'agent', { kind: 'open' }, 'attached'],
    ['an answer where a greeting is due', 'page', { kind: 'ack', ack: 0 }, 'resuming'],
  ] as const)('stepChannel() drops a leg with %s, not the channel', (_, role, frame, at) => {
    const { page, agent } = connected();
    const end = at === 'fresh' ? startEnd(role) : role === 'page' ? page : agent;
    if (at !== 'attached') {
      end.on({ type: 'detached' });
      end.on({ type: 'attached' });
    }
    end.on({ type: 'frame', frame });
    expect([end.dropped.length, end.over, end.got]).toEqual([1, undefined, []]);
  });

  test.each([
    ['more than was sent', 'ack', 1],
    ['more than was sent, on resuming', 'resume', 1],
    ['less than was confirmed', 'resume', 0],
  ] as const)('stepChannel() does not believe a page that has got %s', (_, kind, number) => {
    const { page, agent } = connected();
    if (number === 0) {
      agent.say('x');
      carryAll(page, agent);
      page.say('y');
      carryAll(page, agent);
    }
    if (kind === 'resume') {
      agent.on({ type: 'detached' });
      agent.on({ type: 'attached' });
    }
    agent.on({ type: 'frame', frame: kind === 'ack' ? { kind, ack: number } : { kind, received: number } });
    expect(agent.over).toBeDefined();
    expect(agent.out.at(-1)?.kind).toBe('end');
  });

  test('stepChannel() drops a leg on which nobody greets in time', () => {
    const agent = startEnd('agent');
    agent.on({ type: 'attached' }, 0);
    expect(channelDue(agent.channel)).toBe(channel_limits.greeting_ms);
    agent.on({ type: 'tick' }, channel_limits.greeting_ms);
    expect(agent.dropped).toEqual(['no greeting in time']);
  });
});

/** Ends joined by legs that lose what is under way when they are cut, at random, and each end notices when it pleases. */
const storm = (random: Random, steps: number) => {
  const page = startEnd('page');
  const agent = startEnd('agent');
  const said = { page: 0, agent: 0 };
  let up = false;
  let now = 0;
  const wire = { page: [] as ChannelFrame[], agent: [] as ChannelFrame[] };
  const collect = () => {
    for (const [name, end] of [
      ['page', page],
      ['agent', agent],
    ] as const) {
      if (end.dropped.splice(0).length > 0) throw new Error('a leg was dropped');
      const out = end.take();
      if (up) wire[name].push(...out);
    }
  };
  const deliver = (from: 'page' | 'agent', count: number) => {
    for (const frame of wire[from].splice(0, count)) {
      (from === 'page' ? agent : page).on({ type: 'frame', frame }, now);
      collect();
    }
  };
  const acts = {
    say: () => {
      const who = random.pick<'page' | 'agent'>(['page', 'agent']);
      const end = who === 'page' ? page : agent;
      if (end.channel.kept.length < channel_limits.kept_messages && (who === 'page' || agent.begun > 0)) {
        end.say(`${who} ${said[who]++}`, now);
      }
    },
    deliver: () => deliver(random.pick(['page', 'agent']), 1 + random.below(4)),
    tick: () => {
      now += random.below(300);
      for (const end of [page, agent])
        if ((channelDue(end.channel) ?? Infinity) <= now) end.on({ type: 'tick' }, now);
    },
    cut: () => {
      // The tail of both directions is lost.
      wire.page.length = 0;
      wire.agent.length = 0;
      up = false;
      page.on({ type: 'detached' }, now);
      agent.on({ type: 'detached' }, now);
      collect();
    },
    join: () => {
      if (up) return;
      up = true;
      agent.on({ type: 'attached' }, now);
      page.on({ type: 'attached' }, now);
    },
  };
  for (let step = 0; step < steps; step++) {
    acts[
      random.pick<keyof typeof acts>([
        'say',
        'say',
        'say',
        'deliver',
        'deliver',
        'deliver',
        'tick',
        'cut',
        'join',
        'join',
      ])
    ]();
    collect();
  }
  acts.cut();
  acts.join();
  collect();
  while (wire.page.length + wire.agent.length > 0) {
    deliver('page', 1);
    deliver('agent', 1);
  }
  return { page, agent, said };
};

describe('stepChannel() under random cuts', () => {
  test('stepChannel() loses, repeats and reorders nothing, in 400 storms', () => {
    for (let seed = 1; seed <= 400; seed++) {
      const { page, agent, said } = storm(seeded(seed), 600);
      expect([seed, page.over, agent.over]).toEqual([seed, undefined, undefined]);
      expect(agent.got).toEqual(Array.from({ length: said.page }, (_, n) => `page ${n}`));
      expect(page.got).toEqual(Array.from({ length: said.agent }, (_, n) => `agent ${n}`));
    }
  });
});
