import { expect, test } from 'bun:test';
import { begin, type Effect, type Phase, type Session, type SessionEvent, step } from './session.ts';

const plan = { start_timeout_ms: 60_000, restart: { times: 2, window_ms: 600_000 } };

/** Feeds events, each at its instant, and returns where that leads and the last step's effects. */
const run = (...events: [number, SessionEvent][]) => {
  let { session, effects } = begin(plan);
  for (const [now, event] of events) ({ session, effects } = step(session, event, now));
  return { session, effects };
};
const reports = (effects: Effect[]) =>
  effects.flatMap((effect) => (effect.type === 'report' ? [effect.what] : []));
const types = (effects: Effect[]) => effects.map(({ type }) => type);

const up: [number, SessionEvent] = [1, { type: 'signalling_up' }];
const started: [number, SessionEvent] = [2, { type: 'app_up' }];
const registered: [number, SessionEvent] = [3, { type: 'registered' }];
const appDown = (now: number): [number, SessionEvent] => [now, { type: 'app_down', detail: 'exit code 9' }];
const signallingDown = (now: number): [number, SessionEvent] => [
  now,
  { type: 'signalling_down', detail: 'exit code 1' },
];

const inPhase: Record<Exclude<Phase, 'ended'>, Session> = {
  signalling: run().session,
  app: run(up, started).session,
  ready: run(up, started, registered).session,
  restarting: run(up, started, registered, appDown(4)).session,
  stopping: run([1, { type: 'end', ending: { reason: 'last_left' } }]).session,
};

test('begin() reports launching and starts signalling and the app under a deadline', () => {
  const { session, effects } = begin(plan);
  expect(session.phase).toBe('signalling');
  expect(reports(effects)).toEqual(['launching']);
  expect(types(effects)).toEqual(['report', 'arm', 'start_signalling', 'start_app']);
});

test('step() goes through the start: signalling, app, registered', () => {
  expect(types(run(up).effects)).toEqual(['arm']);
  expect(reports(run(up, started).effects)).toEqual(['app_started']);
  expect(reports(run(started).effects)).toEqual(['app_started']);
  const { session, effects } = run(up, started, registered);
  expect(session.phase).toBe('ready');
  expect(types(effects)).toEqual(['disarm', 'report']);
});

test('step() tries other ports when signalling ends before it is up, three times in all', () => {
  const second = run(signallingDown(1));
  expect(second.effects).toEqual([{ type: 'start_signalling', ports: 'new' }, { type: 'start_app' }]);
  const { session } = run(signallingDown(1), signallingDown(2), signallingDown(3));
  expect(session).toMatchObject({
    phase: 'stopping',
    ending: { reason: 'signalling_failed', detail: 'exit code 1' },
  });
});

test('step() ends the session when the app exits before it was ever ready', () => {
  const { session, effects } = run(up, started, appDown(3));
  expect(session).toMatchObject({
    phase: 'stopping',
    ending: { reason: 'app_exited', detail: 'exit code 9' },
  });
  expect(types(effects)).toEqual(['disarm', 'stop_all']);
  expect(run(started, appDown(2)).session.ending?.reason).toBe('app_exited');
});

test('step() restarts a crashed app as often as its policy allows, then ends the session', () => {
  const once = run(up, started, registered, appDown(10));
  expect(once.session.phase).toBe('restarting');
  expect(types(once.effects)).toEqual(['report', 'arm', 'start_app']);
  const twice = step(once.session, { type: 'app_down', detail: '' }, 20);
  expect(twice.session.phase).toBe('restarting');
  expect(reports(twice.effects)).toEqual([]);
  const thrice = step(twice.session, { type: 'app_down', detail: 'exit code 9' }, 30);
  expect(thrice.session.ending).toEqual({ reason: 'app_crashed', detail: 'exit code 9' });
});

test('step() forgets crashes that lie outside the window', () => {
  let session = inPhase.ready;
  for (let crash = 1; crash < 10; crash++) {
    session = step(session, { type: 'app_down', detail: '' }, crash * 600_000).session;
    session = step(session, { type: 'registered' }, crash * 600_000 + 1).session;
  }
  expect(session.phase).toBe('ready');
});

test('step() restarts signalling on the same ports while the app runs, and is ready again when the app is back', () => {
  expect(step(inPhase.app, { type: 'signalling_down', detail: '' }, 5).effects).toEqual([
    { type: 'start_signalling', ports: 'same' },
  ]);
  const down = step(inPhase.ready, { type: 'signalling_down', detail: '' }, 5);
  expect(down.session.phase).toBe('restarting');
  expect(types(down.effects)).toEqual(['report', 'arm', 'start_signalling']);
  expect(step(down.session, { type: 'signalling_up' }, 6).effects).toEqual([]);
  expect(reports(step(down.session, { type: 'registered' }, 7).effects)).toEqual(['ready']);
});

test('step() gives signalling up after five restarts within a minute', () => {
  let session = inPhase.ready;
  for (let crash = 1; crash <= 5; crash++) {
    session = step(session, { type: 'signalling_down', detail: '' }, crash).session;
    expect(session.phase).toBe('restarting');
  }
  expect(step(session, { type: 'signalling_down', detail: '' }, 60_002).session.phase).toBe('restarting');
  expect(step(session, { type: 'signalling_down', detail: '' }, 6).session.ending?.reason).toBe(
    'signalling_failed',
  );
});

test.each([
  ['signalling', 'signalling_failed'],
  ['app', 'start_timeout'],
  ['restarting', 'start_timeout'],
] as const)('step() ends with the deadline in phase %s as %s', (phase, reason) => {
  const { session } = step(inPhase[phase], { type: 'late', detail: 'late' }, 99);
  expect(session).toMatchObject({ phase: 'stopping', ending: { reason } });
});

test('step() ends for a missing app and for want of ports', () => {
  expect(run(up, [2, { type: 'app_missing', detail: 'gone' }]).session.ending?.reason).toBe('app_not_found');
  expect(run([1, { type: 'no_port', detail: 'none' }]).session.ending?.reason).toBe('no_port');
});

test.each(['signalling', 'app', 'ready', 'restarting'] as const)(
  'step() can be ended in phase %s',
  (phase) => {
    const { session, effects } = step(inPhase[phase], { type: 'end', ending: { reason: 'owner_ended' } }, 9);
    expect(session).toMatchObject({ phase: 'stopping', ending: { reason: 'owner_ended' } });
    expect(types(effects)).toEqual(['disarm', 'stop_all']);
  },
);

test('step() while stopping keeps the first reason and reports the end when all is gone', () => {
  const again = step(inPhase.stopping, { type: 'end', ending: { reason: 'host_stopped' } }, 9);
  expect(again.session.ending?.reason).toBe('last_left');
  for (const event of [up, started, registered, appDown(1), signallingDown(1)]) {
    expect(step(inPhase.stopping, event[1], 9)).toEqual({ session: inPhase.stopping, effects: [] });
  }
  const gone = step(again.session, { type: 'all_gone' }, 10);
  expect(gone.session.phase).toBe('ended');
  expect(reports(gone.effects)).toEqual(['ended']);
  expect(step(gone.session, { type: 'all_gone' }, 11).effects).toEqual([]);
});
