import { describe, expect, test } from 'bun:test';
import { ChannelEnd, type Leg } from './channel-end.ts';
import { type ChannelRole, channel_limits } from './channel-state.ts';
import { errors } from './errors.ts';
import { fakeClock } from './testing/clock.ts';

/** Two ends, and legs between them that a test cuts. */
const startPair = () => {
  const clock = fakeClock();
  const make = (role: ChannelRole) => {
    const got: string[] = [];
    const over: { code: number; reason: string }[] = [];
    const end: ChannelEnd = new ChannelEnd(role, clock, {
      text: (text) => void got.push(text),
      over: (code, reason) => void over.push({ code, reason }),
    });
    return { end, got, over };
  };
  const page = make('page');
  const agent = make('agent');
  const drops: string[] = [];
  /** A leg; `full` says whether it takes nothing more towards the page. */
  const join = (full = () => false) => {
    let cut = false;
    const queue: (() => void)[] = [];
    const leg = (to: () => void, takes: () => boolean, carry: (frame: Uint8Array) => void): Leg => ({
      send(frame) {
        if (cut || !takes()) return false;
        queue.push(() => carry(frame));
        return true;
      },
      drop(why, ended) {
        drops.push(why);
        // What was sent before the close still comes.
        if (ended) queue.push(to);
        else to();
      },
    });
    const toAgent: Leg = leg(
      () => end(),
      () => true,
      (frame) => agent.end.frame(toPage, frame),
    );
    const toPage: Leg = leg(
      () => end(),
      () => !full(),
      (frame) => page.end.frame(toAgent, frame),
    );
    const end = () => {
      cut = true;
      queue.length = 0;
      page.end.detach(toAgent);
      agent.end.detach(toPage);
    };
    agent.end.attach(toPage);
    page.end.attach(toAgent);
    const flow = () => {
      for (let run = queue.shift(); run !== undefined; run = queue.shift()) run();
    };
    flow();
    return { cut: end, flow };
  };
  return { clock, page, agent, join, drops };
};

describe('ChannelEnd()', () => {
  test('ChannelEnd() goes on over one leg after the other, and its timers end with it', () => {
    const { clock, page, agent, join } = startPair();
    for (let leg = 0; leg < 5; leg++) {
      const { cut, flow } = join();
      page.end.say(`up ${leg}`);
      agent.end.say(`down ${leg}`);
      if (leg % 2 === 0) flow();
      cut();
      clock.advance(channel_limits.window_ms / 2);
    }
    const { flow } = join();
    expect(agent.got).toEqual([0, 1, 2, 3, 4].map((leg) => `up ${leg}`));
    expect(page.got).toEqual([0, 1, 2, 3, 4].map((leg) => `down ${leg}`));
    page.end.end(1000, 'done');
    flow();
    expect([agent.over, page.over]).toEqual([[{ code: 1000, reason: 'done' }], []]);
    expect(clock.pending()).toBe(0);
  });

  test('ChannelEnd() confirms in time, so that an idle leg keeps nothing', () => {
    const { clock, page, agent, join } = startPair();
    const { flow } = join();
    // Far more than may be kept: each is confirmed before the next few.
    for (let n = 0; n < channel_limits.kept_messages * 4; n++) {
      agent.end.say('x'.repeat(2_000));
      flow();
      clock.advance(10);
      flow();
    }
    expect([page.over, page.got.length]).toEqual([[], channel_limits.kept_messages * 4]);
  });

  test('ChannelEnd() is lost on both sides when no leg comes in time', () => {
    const { clock, page, agent, join } = startPair();
    join().cut();
    clock.advance(channel_limits.window_ms);
    const { close: code } = errors.channel_lost;
    expect([page.over, agent.over]).toMatchObject([[{ code }], [{ code }]]);
    expect([page.end.isOver, clock.pending()]).toEqual([true, 0]);
  });

  test('ChannelEnd() takes a full leg for a cut, and says everything on the next one', () => {
    const { page, agent, join, drops } = startPair();
    let full = false;
    join(() => full);
    full = true;
    agent.end.say('waits');
    expect(drops).toEqual(['the connection is full']);
    expect([agent.end.attached, agent.end.isOver]).toEqual([false, false]);
    full = false;
    join();
    expect(page.got).toEqual(['waits']);
  });

  test('ChannelEnd() drops the former leg for a new one, and hears nothing from it any more', () => {
    const { agent, page, join, drops } = startPair();
    const first = join();
    page.end.say('on the first leg');
    join();
    first.flow();
    expect(drops[0]).toBe('replaced by a newer connection');
    expect(agent.got).toEqual(['on the first leg']);
  });

  test('ChannelEnd() drops a leg that carries something else', () => {
    const { agent, drops, join } = startPair();
    join();
    const stranger: Leg = { send: () => true, drop: (why) => void drops.push(why) };
    agent.end.frame(stranger, Uint8Array.of(9));
    expect(drops).toEqual([]);
    agent.end.attach(stranger);
    agent.end.frame(stranger, Uint8Array.of(9));
    expect(drops.at(-1)).toBe('not a channel frame');
  });
});
