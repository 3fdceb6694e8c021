import { afterEach, expect, setDefaultTimeout, test } from 'bun:test';
import { systemClock } from '../shared/clock.ts';
import { errors } from '../shared/errors.ts';
import { fakeClock } from '../shared/testing/clock.ts';
import { watchAlone } from './alone.ts';
import type { LinkState } from './link.ts';
import { fakeAppConfig, order, processesOf, type Rig, startRig } from './testing/rig.ts';
import { sleep } from './wait.ts';

setDefaultTimeout(120_000);
let rig: Rig | undefined;
afterEach(async () => {
  await rig?.stop();
  rig = undefined;
}, 30_000);

const minute = 60_000;

const watched = (minutes: number) => {
  const clock = fakeClock();
  const told: number[] = [];
  const now = { state: 'waiting' as LinkState['state'], since: 0, minutes };
  const cancel = watchAlone({
    clock,
    link: () => now,
    minutes: () => now.minutes,
    alone: () => told.push(clock.monotonic()),
  });
  return { clock, told, now, cancel };
};

test('watchAlone() bears five minutes without a coordinator, and tells once after thirty', () => {
  const { clock, told, now, cancel } = watched(30);
  now.state = 'connected';
  clock.advance(90 * minute);
  now.state = 'dialling';
  now.since = 7;
  clock.advance(5 * minute);
  now.state = 'waiting';
  clock.advance(25 * minute);
  expect(told).toEqual([]);
  clock.advance(1_000);
  expect(told).toEqual([120 * minute + 1_000]);
  clock.advance(90 * minute);
  expect(told).toHaveLength(1);
  cancel();
  expect(clock.pending()).toBe(0);
});

test('watchAlone() begins anew after each connection, however short, and when the agent starts', () => {
  const { clock, told, now } = watched(30);
  clock.advance(29 * minute);
  now.since = 8; // it was welcomed and lost between two looks
  clock.advance(29 * minute);
  now.state = 'connected';
  clock.advance(1_000);
  now.state = 'waiting';
  clock.advance(29 * minute);
  expect(told).toEqual([]);
  clock.advance(2 * minute);
  expect(told).toHaveLength(1);
  now.state = 'connected';
  clock.advance(minute);
  now.state = 'waiting';
  clock.advance(31 * minute);
  expect(told).toHaveLength(2);
});

test('watchAlone() never tells with 0, and follows the configuration as it is now', () => {
  const { clock, told, now } = watched(0);
  clock.advance(10_000 * minute);
  expect(told).toEqual([]);
  now.minutes = 1;
  clock.advance(1_000);
  expect(told).toHaveLength(1);
});

test('startRig() with an agent that is refused for too long ends sessions and warm instances, and says so after WELCOME', async () => {
  let locked = false;
  const { close, text } = errors.host_quarantined;
  const answer = (): { close: number; reason: string } | { sessions?: [] } =>
    locked ? { close, reason: text } : {};
  const started = await startRig({
    apps: [fakeAppConfig('Flat', [], { warm: 1 })],
    settings: { alone_minutes: 0.02 },
    coordinator: { hello: answer },
    ids: { below: () => 0 },
  });
  rig = started;
  const { coordinator, agent } = started;
  const until = async (holds: () => boolean) => {
    while (!holds()) await sleep(systemClock, 5);
  };
  const warm = () => agent.host.warm().length === 1;
  await coordinator.message('HELLO');
  await until(warm);
  const session = order();
  coordinator.send(session);
  await coordinator.message('CONNECT_TO_SESSION');
  await until(warm);
  const ids = agent.host.describe().map(({ instance_id }) => instance_id);
  expect(ids).toHaveLength(2);
  locked = true;
  coordinator.cut();
  await until(() => agent.host.describe().length === 0);
  expect(ids.flatMap((id) => processesOf(id))).toEqual([]);
  await started.logged('without a coordinator for too long');
  locked = false;
  const { session_id, generation } = session;
  expect(await coordinator.message('SESSION_ENDED')).toMatchObject({
    ...{ session_id, generation },
    reason: 'host_lost',
  });
  // The pool is filled again.
  await until(warm);
});
