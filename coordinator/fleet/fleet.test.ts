import { expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { silentLog } from '../../shared/log.ts';
import { AGENT_LINK_VERSION, type toAgent } from '../../shared/protocol/agent-link.ts';
import type { MessageOf } from '../../shared/protocol/message.ts';
import { fakeClock } from '../../shared/testing/clock.ts';
import { fakeIds } from '../../shared/testing/ids.ts';
import { bounds } from '../kit/limits.ts';
import { openWorld } from '../open.ts';
import type { Link } from '../sessions/live.ts';
import { createSession } from '../sessions/starts.ts';
import { memoryBus } from '../testing/bus.ts';
import { memoryDatabase } from '../testing/database.ts';
import { entry, keyOf, memoryStore } from '../testing/store.ts';
import { hostGone, hostHello, hostReports, tick } from './fleet.ts';

type Order = MessageOf<typeof toAgent>;
interface Line {
  session_id: string;
  generation: number;
  state: 'ready';
  card?: number;
}

/** A world with host "a" of two seats on cards 3 and 4, whose agents connect as the test says. */
const setUp = async () => {
  const clock = fakeClock();
  const store = memoryStore([entry('a', 'Loft')]);
  const world = await openWorld({
    db: memoryDatabase(),
    store,
    files: store,
    clock,
    bus: memoryBus(clock),
    ids: fakeIds(),
    log: silentLog,
  });
  let epoch = 0;
  const connect = (life: string, sessions: Line[] = []) => {
    const orders: Order[] = [];
    const link: Link = {
      epoch: ++epoch,
      resumes: true,
      answers: false,
      drains: false,
      send: (order) => void orders.push(order),
      openChannel: () => ({ data: () => {}, close: () => {} }),
      close: () => {},
    };
    const card = { seats: 1, vram_mb: null, encoders: null };
    const cards = [3, 4].map((index) => ({ ...card, index }));
    const said = { verb: 'HELLO' as const, protocol: AGENT_LINK_VERSION, server_name: 'a', seats: 2 };
    const hello = { ...said, apps: ['Loft'], cards, sessions, life };
    expect(hostHello(world, link, keyOf('a'), hello, () => {})).toBeUndefined();
    return { link, started: () => orders.filter((one) => 'verb' in one && one.verb === 'CREATE_SESSION') };
  };
  const create = async (): Promise<string> => {
    const made = await createSession(world, { app: 'Loft' });
    return isRefusal(made) ? made.refused : made.session.id;
  };
  const ready = (link: Link, session_id: string) =>
    hostReports(world, 'a', link, { session_id, generation: 1 }, { type: 'progressed', phase: 'ready' });
  const pass = (ms: number) => {
    clock.advance(ms);
    tick(world);
  };
  const look = (id: string) => {
    const { phase, reachable, end } = world.sessions.get(id) ?? {};
    return [phase, reachable, end?.reason];
  };
  return { world, connect, create, ready, pass, look };
};

const line = (session_id: string): Line => ({ session_id, generation: 1, state: 'ready' });

test('hostHello() of a process that pushes another out ends nothing and starts nothing until the doubt is over', async () => {
  const { world, connect, create, ready, pass, look } = await setUp();
  const a = connect('life-a');
  const [one, two] = [await create(), await create()];
  ready(a.link, one);
  const b = connect('life-b');
  pass(bounds.host_doubt_ms - 1);
  expect([look(one), look(two)]).toEqual([
    ['ready', false, undefined],
    ['assigned', false, undefined],
  ]);
  expect(b.started()).toEqual([]);
  expect(await create()).toBe('servers_busy');
  // A redial of the newcomer neither ends the doubt nor lengthens it.
  const again = connect('life-b');
  expect(look(one)).toEqual(['ready', false, undefined]);
  expect(again.started()).toEqual([]);
  pass(1);
  expect(look(one)).toEqual(['ended', false, 'host_forgot']);
  expect(look(two)).toEqual(['assigned', true, undefined]);
  expect(again.started()).toMatchObject([{ session_id: two }]);
  expect(world.hosts.get('a')?.doubted.size).toBe(0);
});

test('hostHello() of one that lists its sessions, or whose predecessor hung up, is believed at once', async () => {
  const { world, connect, create, ready, pass, look } = await setUp();
  const a = connect('life-a');
  const [one, two] = [await create(), await create()];
  for (const id of [one, two]) ready(a.link, id);
  const b = connect('life-b', [{ ...line(one), card: 4 }]);
  expect([look(one), look(two)]).toEqual([
    ['ready', true, undefined],
    ['ready', false, undefined],
  ]);
  hostGone(world, 'a', b.link);
  // The one that was pushed out is back, with both; what the other one left is forgotten with its link.
  const back = connect('life-a', [line(one), line(two)]);
  expect([look(one), look(two)].map(([, reachable]) => reachable)).toEqual([true, true]);
  pass(bounds.host_doubt_ms);
  expect(look(two)).toEqual(['ready', true, undefined]);
  hostGone(world, 'a', back.link);
  connect('life-c', [line(one)]);
  expect([look(one), look(two)]).toEqual([
    ['ready', true, undefined],
    ['ended', false, 'host_forgot'],
  ]);
});

test('hostHello() of the same process over its link that died unseen is believed at once', async () => {
  const { connect, create, ready, look } = await setUp();
  const a = connect('life-a');
  const one = await create();
  ready(a.link, one);
  connect('life-a');
  expect(look(one)).toEqual(['ended', false, 'host_forgot']);
});

test('hostHello() in doubt keeps the card on which the session runs', async () => {
  const { world, connect, create, ready } = await setUp();
  const a = connect('life-a');
  const one = await create();
  ready(a.link, one);
  connect('life-a', [{ ...line(one), card: 4 }]);
  connect('life-b');
  expect(world.hosts.get('a')?.placed.get(one)).toBe(4);
});
