import { expect, test } from 'bun:test';
import { fakeClock } from '../../shared/testing/clock.ts';
import { createCourier } from './courier.ts';
import { createMemoryStore } from './memory-store.ts';

/** A courier over a socket that takes so many messages, and a store that can be made to fail. */
const world = async (takes: number) => {
  const sent: string[] = [];
  const clock = fakeClock();
  const memory = createMemoryStore();
  const state = { fails: false, failures: 0, superseded: 0 };
  const event = { msg: 'private', from: 'bob', text: 'x' } as const;
  const answer = { msg: 'ok', verb: 'away' } as const;
  const peer = { name: 'ann', seal: '', session: '1', channels: [], may_broadcast: false };
  await memory.change({ peers: ['ann'] }, () => ({ peers: [peer], answer }));
  const courier = createCourier({
    store: {
      ...memory,
      inbox: (...given) => (state.fails ? Promise.reject(new Error('away')) : memory.inbox(...given)),
    },
    wire: {
      remote: '192.0.2.1',
      backlog: () => 0,
      send: (frame) => sent.length < takes && sent.push(String(frame)) > 0,
      close: () => undefined,
    },
    ...{ clock, name: 'ann', session: '1', after: undefined },
    superseded: () => {
      state.superseded += 1;
    },
    failed: () => {
      state.failures += 1;
    },
  });
  const post = () => memory.change({ peers: ['ann'] }, () => ({ mail: [{ to: ['ann'], event }], answer }));
  return { clock, courier, memory, post, sent, state, answer };
};

test('createCourier() sends each event once, with its place', async () => {
  const { courier, post, sent } = await world(10);
  await post();
  await Promise.all([courier.wake(), courier.wake()]);
  await post();
  await courier.wake();
  expect(sent.map((text) => JSON.parse(text).seq)).toEqual([1, 2]);
  expect(sent[0]).toBe('{"msg":"private","from":"bob","text":"x","seq":1}');
});

test('createCourier() leaves in the mailbox what the socket does not take', async () => {
  const { courier, post, sent, memory } = await world(1);
  await post();
  await post();
  courier.deliver((await memory.inbox('ann', '1', undefined)) ?? { mail: [], lost: 0, had: 0 });
  expect(sent).toHaveLength(1);
  expect((await memory.inbox('ann', '1', 1))?.mail).toHaveLength(1);
  await courier.wake();
  expect(sent).toHaveLength(1);
});

test('createCourier() tries again after a failure, and no more once it is stopped', async () => {
  const { clock, courier, post, sent, state } = await world(10);
  await post();
  state.fails = true;
  await courier.wake();
  expect({ sent: sent.length, timers: clock.pending() }).toEqual({ sent: 0, timers: 1 });
  expect(state.failures).toBe(1);
  state.fails = false;
  clock.advance(5_000);
  await courier.wake();
  await Promise.resolve();
  expect(clock.pending()).toBe(0);
  state.fails = true;
  await post();
  await courier.wake();
  courier.stop();
  expect(clock.pending()).toBe(0);
});

test('createCourier() says when its session no longer speaks for the peer', async () => {
  const { courier, memory, state, answer } = await world(10);
  await memory.change({ peers: ['ann'] }, () => ({ gone: { peer: 'ann' }, answer }));
  await courier.wake();
  expect(state.superseded).toBe(1);
});
