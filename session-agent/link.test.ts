import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { errors } from '../shared/errors.ts';
import { createLog } from '../shared/log.ts';
import { AGENT_LINK_VERSION } from '../shared/protocol/agent-link.ts';
import { fakeClock } from '../shared/testing/clock.ts';
import { fakeIds } from '../shared/testing/ids.ts';
import { Link } from './link.ts';
import {
  type FakeCoordinator,
  type FakeCoordinatorOptions,
  startFakeCoordinator,
} from './testing/fake-coordinator.ts';

setDefaultTimeout(120_000);
const key = 'a-key-for-tests-only';
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A link on a clock that moves only when told to, and what it says of itself. */
const startLink = (url: string, given = key) => {
  const clock = fakeClock();
  const lines: { level: string; msg: string; wait_ms?: number }[] = [];
  const waiters = new Set<() => void>();
  let beats = 0;
  const link: Link = new Link({
    url,
    key: given,
    clock,
    // Draws the longest wait each time.
    ids: { ...fakeIds(), below: (bound) => bound - 1 },
    log: createLog('test', 'debug', {
      write: (line) => {
        lines.push(JSON.parse(line));
        for (const look of [...waiters]) look();
      },
    }),
    hello: () => ({
      verb: 'HELLO',
      protocol: AGENT_LINK_VERSION,
      server_name: 'host-1',
      seats: 1,
      apps: ['Flat'],
      sessions: [],
    }),
    heartbeat: () => {
      beats += 1;
      return { warm: [{ rc_name: 'Flat', card: 0, ready: beats }] };
    },
    frame: (frame) => {
      const message = JSON.parse(String(frame));
      if (message.msg === 'WELCOME') link.welcomed(message.heartbeat_ms, message.protocol ?? 1);
    },
    lost: () => {},
  });
  link.start();
  stops.push(() => link.stop('test over'));
  /** The next line with that text; lines before it are forgotten. */
  const logged = (text: string): Promise<(typeof lines)[number]> =>
    new Promise((resolve) => {
      const look = () => {
        const index = lines.findIndex(({ msg }) => msg.includes(text));
        const line = lines[index];
        if (line === undefined) return;
        lines.splice(0, index + 1);
        waiters.delete(look);
        resolve(line);
      };
      waiters.add(look);
      look();
    });
  return { link, clock, logged };
};

const coordinate = (options: Partial<FakeCoordinatorOptions> = {}): FakeCoordinator => {
  const coordinator = startFakeCoordinator({ key, ...options });
  stops.push(() => coordinator.stop());
  return coordinator;
};

test('start() dials with the key and no Origin, and says HELLO first', async () => {
  const coordinator = coordinate();
  const { logged } = startLink(coordinator.url);
  expect(await coordinator.message('HELLO')).toMatchObject({
    server_name: 'host-1',
    protocol: AGENT_LINK_VERSION,
  });
  await logged('connected to the coordinator');
  expect(coordinator.upgrades).toEqual([{ authorization: `Bearer ${key}`, origin: null }]);
});

test('Link() says HEARTBEAT as often as WELCOME asks, and the echo keeps the link', async () => {
  const coordinator = coordinate({ hello: () => ({ heartbeat_ms: 2_000 }) });
  const { clock, logged } = startLink(coordinator.url);
  await logged('connected to the coordinator');
  for (let beat = 0; beat < 10; beat++) {
    clock.advance(2_000);
    const { warm } = await coordinator.message('HEARTBEAT');
    expect(warm).toEqual([{ rc_name: 'Flat', card: 0, ready: beat + 1 }]);
  }
  expect(coordinator.upgrades).toHaveLength(1);
});

test('Link() takes silence of 15 s for a lost link and dials again', async () => {
  const coordinator = coordinate({ echo: false });
  const { clock, logged } = startLink(coordinator.url);
  await logged('connected to the coordinator');
  clock.advance(14_000);
  expect(coordinator.upgrades).toHaveLength(1);
  clock.advance(2_000);
  await logged('the link to the coordinator was lost');
  await logged('dialling');
  clock.advance(1_000);
  await logged('connected to the coordinator');
});

test('Link() says clearly that the key is wrong, and its waits grow', async () => {
  const coordinator = coordinate();
  const { clock, logged } = startLink(coordinator.url, 'another key altogether');
  for (const wait of [500, 1_000, 2_000, 4_000]) {
    expect((await logged('refused this agent: key or server_name')).level).toBe('error');
    const { wait_ms } = await logged('dialling');
    expect(wait_ms).toBe(wait - 1);
    clock.advance(wait);
  }
});

test('Link() says clearly that the version is another, or that another agent has its name', async () => {
  const closes = [
    { close: 4400, reason: 'version' },
    { close: 4409, reason: 'superseded' },
  ];
  const coordinator = coordinate({ hello: () => closes.shift() ?? {} });
  const { clock, logged } = startLink(coordinator.url);
  expect((await logged('different versions')).level).toBe('error');
  clock.advance((await logged('dialling')).wait_ms ?? 0);
  expect((await logged('same server_name and key')).level).toBe('error');
  expect((await logged('dialling')).wait_ms).toBe(29_999);
});

test('Link() dials a coordinator that is not there until it comes; 5 s of life make the waits short again', async () => {
  const first = startFakeCoordinator({ key });
  const { port, url } = first;
  await first.stop();
  const { clock, logged } = startLink(url);
  for (const wait of [500, 1_000, 2_000]) {
    expect((await logged('cannot be reached')).level).toBe('warn');
    expect((await logged('dialling')).wait_ms).toBe(wait - 1);
    if (wait < 2_000) clock.advance(wait);
  }
  const coordinator = coordinate({ port });
  clock.advance(2_000);
  await logged('connected to the coordinator');
  coordinator.cut();
  // It lived too short to count as good.
  expect((await logged('dialling')).wait_ms).toBe(3_999);
  clock.advance(4_000);
  await logged('connected to the coordinator');
  clock.advance(5_000);
  coordinator.cut();
  expect((await logged('dialling')).wait_ms).toBe(499);
});

test('stop() ends the waiting, too, and leaves no timer', async () => {
  const first = startFakeCoordinator({ key });
  await first.stop();
  const { link, clock, logged } = startLink(first.url);
  await logged('dialling');
  await Promise.all([link.stop('over'), link.stop('over')]);
  expect(clock.pending()).toBe(0);
  expect(link.send({ verb: 'HEARTBEAT', time: 0 })).toBe(false);
});

test('start() speaks the neighbouring version to a coordinator that takes no other, and tries its own first each time', async () => {
  const hello = ({ protocol }: { protocol: number }) =>
    protocol === 1 ? { protocol: null } : { close: 4401, reason: 'no HELLO in time' };
  const coordinator = coordinate({ hello });
  const { clock, logged } = startLink(coordinator.url);
  for (let life = 0; life < 2; life++) {
    expect(await coordinator.message('HELLO')).toMatchObject({ protocol: AGENT_LINK_VERSION });
    clock.advance((await logged('dialling')).wait_ms ?? 0);
    expect(await coordinator.message('HELLO')).toMatchObject({ protocol: 1 });
    await logged('connected');
    coordinator.cut();
    clock.advance((await logged('dialling')).wait_ms ?? 0);
  }
});

test('welcomed() leaves a coordinator whose version is not spoken here', async () => {
  const coordinator = coordinate({ hello: () => ({ protocol: AGENT_LINK_VERSION + 1 }) });
  startLink(coordinator.url);
  expect(await coordinator.next('end', (one) => (one.what === 'closed' ? one.code : undefined))).toBe(4400);
});

test('redial() dials anew without a wait, connected, waiting or not there yet, and is no failure', async () => {
  const coordinator = coordinate({});
  const { link, clock, logged } = startLink(coordinator.url);
  await logged('connected');
  expect(link.state()).toEqual({ state: 'connected', since: clock.now() });
  link.redial();
  await logged('connected');
  coordinator.cut();
  await logged('dialling');
  expect(link.state()).toMatchObject({
    state: 'waiting',
    detail: expect.stringContaining('the link was lost'),
  });
  const lost_at = link.state().since;
  clock.advance(1);
  expect(link.state().since).toBe(lost_at);
  link.redial();
  await logged('connected');
  expect(link.state().detail).toBeUndefined();
  await link.stop('over');
  link.redial();
  expect(link.state().state).toBe('stopped');
  expect(clock.pending()).toBe(0);
});

test('state() tells an operator what to do about a host that is locked, and the link waits longest', async () => {
  const coordinator = coordinate({
    hello: () => ({ close: errors.host_quarantined.close, reason: 'locked' }),
  });
  const { link, logged } = startLink(coordinator.url);
  expect((await logged('this host is locked')).level).toBe('error');
  expect((await logged('dialling')).wait_ms).toBe(29_999);
  expect(link.state()).toMatchObject({
    state: 'waiting',
    detail: expect.stringContaining('enrol that one anew'),
  });
});

test('send() takes nothing before WELCOME: whoever refuses this agent would not read it', async () => {
  const coordinator = coordinate({ hello: () => ({ close: 4423, reason: 'locked' }) });
  const { link, logged } = startLink(coordinator.url);
  await coordinator.message('HELLO');
  const ended = { msg: 'SESSION_ENDED', session_id: 'id-1', generation: 1, reason: 'host_lost' } as const;
  expect(link.send(ended)).toBe(false);
  await logged('dialling');
  expect(coordinator.seen.some((one) => one.what === 'message' && one.name === 'SESSION_ENDED')).toBe(false);
});
