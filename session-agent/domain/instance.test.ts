import { expect, test } from 'bun:test';
import {
  begin,
  type Effect,
  type InstanceEvent,
  type Phase,
  resume,
  type Supervised,
  step,
} from './instance.ts';

const plan = { start_timeout_ms: 60_000, hung_ms: 3_000, restart: { times: 2, window_ms: 600_000 } };

/** Feeds events, each at its instant, and returns where that leads and the last step's effects. */
const run = (...events: [number, InstanceEvent][]) => {
  let { instance, effects } = begin(plan);
  for (const [now, event] of events) ({ instance, effects } = step(instance, event, now));
  return { instance, effects };
};
const reports = (effects: Effect[]) =>
  effects.flatMap((effect) => (effect.type === 'report' ? [effect.what] : []));
const types = (effects: Effect[]) => effects.map(({ type }) => type);

const up: [number, InstanceEvent] = [1, { type: 'signalling_up' }];
const started: [number, InstanceEvent] = [2, { type: 'app_up' }];
const registered: [number, InstanceEvent] = [3, { type: 'registered' }];
const appDown = (now: number): [number, InstanceEvent] => [now, { type: 'app_down', detail: 'exit code 9' }];
const signallingDown = (now: number): [number, InstanceEvent] => [
  now,
  { type: 'signalling_down', detail: 'exit code 1' },
];

const inPhase: Record<Exclude<Phase, 'ended'>, Supervised> = {
  signalling: run().instance,
  app: run(up, started).instance,
  ready: run(up, started, registered).instance,
  missing: run(up, started, registered, [4, { type: 'unregistered' }]).instance,
  reconnecting: run(up, started, registered, signallingDown(4)).instance,
  restarting: run(up, started, registered, appDown(4)).instance,
  stopping: run([1, { type: 'end', ending: { reason: 'last_left' } }]).instance,
};

test('begin() reports launching and starts signalling and the app under a deadline', () => {
  const { instance, effects } = begin(plan);
  expect(instance.phase).toBe('signalling');
  expect(reports(effects)).toEqual(['launching']);
  expect(types(effects)).toEqual(['report', 'arm', 'start_signalling', 'start_app']);
});

test('step() goes through the start: signalling, app, registered', () => {
  expect(types(run(up).effects)).toEqual(['arm']);
  expect(reports(run(up, started).effects)).toEqual(['app_started']);
  expect(reports(run(started).effects)).toEqual(['app_started']);
  const { instance, effects } = run(up, started, registered);
  expect(instance.phase).toBe('ready');
  expect(types(effects)).toEqual(['disarm', 'report']);
});

test('step() tries other ports when signalling ends before it is up, three times in all', () => {
  const second = run(signallingDown(1));
  expect(second.effects).toEqual([{ type: 'start_signalling', ports: 'new' }, { type: 'start_app' }]);
  const { instance } = run(signallingDown(1), signallingDown(2), signallingDown(3));
  expect(instance).toMatchObject({
    phase: 'stopping',
    ending: { reason: 'signalling_failed', detail: 'exit code 1' },
  });
});

test('step() ends the session when the app exits before it was ever ready', () => {
  const { instance, effects } = run(up, started, appDown(3));
  expect(instance).toMatchObject({
    phase: 'stopping',
    ending: { reason: 'app_exited', detail: 'exit code 9' },
  });
  expect(types(effects)).toEqual(['disarm', 'stop_all']);
  expect(run(started, appDown(2)).instance.ending?.reason).toBe('app_exited');
});

test('step() restarts a crashed app as often as its policy allows, then ends the session', () => {
  const once = run(up, started, registered, appDown(10));
  expect(once.instance.phase).toBe('restarting');
  expect(types(once.effects)).toEqual(['report', 'arm', 'start_app']);
  const twice = step(once.instance, { type: 'app_down', detail: '' }, 20);
  expect(twice.instance.phase).toBe('restarting');
  expect(reports(twice.effects)).toEqual([]);
  const thrice = step(twice.instance, { type: 'app_down', detail: 'exit code 9' }, 30);
  expect(thrice.instance.ending).toEqual({ reason: 'app_crashed', detail: 'exit code 9' });
});

test('step() forgets crashes that lie outside the window', () => {
  let instance = inPhase.ready;
  for (let crash = 1; crash < 10; crash++) {
    instance = step(instance, { type: 'app_down', detail: '' }, crash * 600_000).instance;
    instance = step(instance, { type: 'registered' }, crash * 600_000 + 1).instance;
  }
  expect(instance.phase).toBe('ready');
});

test('step() restarts signalling on the same ports while the app runs, and is ready again when the app is back', () => {
  expect(step(inPhase.app, { type: 'signalling_down', detail: '' }, 5).effects).toEqual([
    { type: 'start_signalling', ports: 'same' },
  ]);
  const down = step(inPhase.ready, { type: 'signalling_down', detail: '' }, 5);
  expect(down.instance.phase).toBe('reconnecting');
  expect(types(down.effects)).toEqual(['report', 'arm', 'start_signalling']);
  const up_again = step(down.instance, { type: 'signalling_up' }, 6);
  expect(up_again.effects).toEqual([{ type: 'arm', ms: 12_000 }]);
  expect(step(up_again.instance, { type: 'signalling_up' }, 7).effects).toEqual([]);
  expect(reports(step(down.instance, { type: 'registered' }, 7).effects)).toEqual(['ready']);
});

test('step() gives signalling up after five restarts within a minute', () => {
  let instance = inPhase.ready;
  for (let crash = 1; crash <= 5; crash++) {
    instance = step(instance, { type: 'signalling_down', detail: '' }, crash).instance;
    expect(instance.phase).toBe('reconnecting');
  }
  expect(step(instance, { type: 'signalling_down', detail: '' }, 60_002).instance.phase).toBe('reconnecting');
  expect(step(instance, { type: 'signalling_down', detail: '' }, 6).instance.ending?.reason).toBe(
    'signalling_failed',
  );
});

test.each([
  ['signalling', 'signalling_failed'],
  ['app', 'start_timeout'],
] as const)('step() ends with the deadline in phase %s as %s', (phase, reason) => {
  const { instance } = step(inPhase[phase], { type: 'late', detail: 'late' }, 99);
  expect(instance).toMatchObject({ phase: 'stopping', ending: { reason } });
});

test('step() counts a restart that comes to nothing as one more crash, and ends as start_timeout when none is left', () => {
  const again = step(inPhase.restarting, { type: 'late', detail: 'late' }, 99);
  expect(again.instance).toMatchObject({ phase: 'restarting', app_restarts: [4, 99] });
  expect(again.effects).toEqual([{ type: 'arm', ms: 60_000 }, { type: 'start_app' }]);
  const { ending } = step(again.instance, { type: 'late', detail: 'late' }, 100).instance;
  expect(ending).toEqual({ reason: 'start_timeout', detail: 'late' });
});

test('step() ends for a missing app and for want of ports', () => {
  expect(run(up, [2, { type: 'app_missing', detail: 'gone' }]).instance.ending?.reason).toBe('app_not_found');
  expect(run([1, { type: 'no_port', detail: 'none' }]).instance.ending?.reason).toBe('no_port');
});

test.each(['signalling', 'app', 'ready', 'missing', 'reconnecting', 'restarting'] as const)(
  'step() can be ended in phase %s',
  (phase) => {
    const { instance, effects } = step(inPhase[phase], { type: 'end', ending: { reason: 'owner_ended' } }, 9);
    expect(instance).toMatchObject({ phase: 'stopping', ending: { reason: 'owner_ended' } });
    expect(types(effects)).toEqual(['disarm', 'stop_all']);
  },
);

test('step() while stopping keeps the first reason and reports the end when all is gone', () => {
  const again = step(inPhase.stopping, { type: 'end', ending: { reason: 'host_stopped' } }, 9);
  expect(again.instance.ending?.reason).toBe('last_left');
  for (const event of [up, started, registered, appDown(1), signallingDown(1)]) {
    expect(step(inPhase.stopping, event[1], 9)).toEqual({ instance: inPhase.stopping, effects: [] });
  }
  const gone = step(again.instance, { type: 'all_gone' }, 10);
  expect(gone.instance.phase).toBe('ended');
  expect(reports(gone.effects)).toEqual(['ended']);
  expect(step(gone.instance, { type: 'all_gone' }, 11).effects).toEqual([]);
});

test('step() waits for a streamer that vanished, without a word, and restarts the app when it does not come back', () => {
  expect(inPhase.missing.phase).toBe('missing');
  expect(step(inPhase.ready, { type: 'unregistered' }, 4).effects).toEqual([{ type: 'arm', ms: 3_000 }]);
  const back = step(inPhase.missing, { type: 'registered' }, 5);
  expect(back.instance.phase).toBe('ready');
  expect(types(back.effects)).toEqual(['disarm']);
  const hung = step(inPhase.missing, { type: 'late', detail: 'gone' }, 5);
  expect(hung.instance.phase).toBe('restarting');
  expect(types(hung.effects)).toEqual(['report', 'arm', 'start_app']);
});

test.each(['missing', 'reconnecting'] as const)(
  'step() ends as app_hung in phase %s when no restart is left',
  (phase) => {
    const instance = { ...inPhase[phase], app_restarts: [1, 2] };
    const { ending } = step(instance, { type: 'late', detail: 'gone' }, 5).instance;
    expect(ending).toEqual({ reason: 'app_hung', detail: 'gone' });
  },
);

test('step() restarts an app that takes too much memory under the same policy, and ends as memory_limit', () => {
  const once = step(inPhase.ready, { type: 'app_too_big', detail: '' }, 5);
  expect(once.instance.phase).toBe('restarting');
  const spent = { ...inPhase.ready, app_restarts: [1, 2] };
  const last = step(spent, { type: 'app_too_big', detail: '900 MB' }, 5).instance;
  expect(last.ending).toEqual({ reason: 'memory_limit', detail: '900 MB' });
  expect(step(inPhase.app, { type: 'app_too_big', detail: '' }, 5).instance.ending?.reason).toBe(
    'memory_limit',
  );
});

test('resume() starts what was never started, and nothing twice', () => {
  const found = { was_ready: false, app_was_ready: false, app_restarts: [], signalling: true, app: true };
  expect(types(resume(plan, found).effects)).toEqual(['arm']);
  expect(types(resume(plan, { ...found, app: false }).effects)).toEqual(['arm', 'start_app']);
  expect(types(resume(plan, { ...found, signalling: false }).effects)).toEqual(['arm', 'start_signalling']);
  expect(resume(plan, { ...found, signalling: false, app: false })).toEqual(begin(plan));
  expect(resume(plan, found).instance.phase).toBe('app');
});

test('resume() of an instance that was ready waits for its streamer, and counts the restarts before', () => {
  const found = {
    was_ready: true,
    app_was_ready: true,
    app_restarts: [-10, -5],
    signalling: true,
    app: true,
  };
  const { instance } = resume(plan, found);
  expect(instance.phase).toBe('reconnecting');
  expect(step(instance, { type: 'signalling_up' }, 1).effects).toEqual([{ type: 'arm', ms: 12_000 }]);
  expect(reports(step(instance, { type: 'registered' }, 1).effects)).toEqual(['ready']);
  const crashed = step(instance, { type: 'app_down', detail: 'x' }, 1).instance;
  expect(crashed.ending).toEqual({ reason: 'app_crashed', detail: 'x' });
  expect(step(instance, { type: 'app_down', detail: 'x' }, 599_997).instance.phase).toBe('restarting');
});

test('resume() gives an app that was being started again the time of a start', () => {
  const found = { was_ready: true, app_was_ready: false, app_restarts: [], signalling: true, app: true };
  const { instance, effects } = resume(plan, found);
  expect(instance.phase).toBe('restarting');
  expect(effects).toEqual([{ type: 'arm', ms: 60_000 }]);
  expect(step(instance, { type: 'signalling_up' }, 1).effects).toEqual([]);
  expect(types(resume(plan, { ...found, app: false }).effects)).toEqual(['arm', 'start_app']);
});

test('resume() goes on with an end that was under way', () => {
  const ending = { reason: 'owner_ended' } as const;
  const { instance, effects } = resume(plan, {
    was_ready: true,
    app_was_ready: true,
    app_restarts: [],
    signalling: true,
    app: true,
    ending,
  });
  expect(instance).toMatchObject({ phase: 'stopping', ending });
  expect(types(effects)).toEqual(['disarm', 'stop_all']);
});
