import { describe, expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import type { EndReason, SessionPhase } from '../../shared/protocol/session.ts';
import { transition } from '../sessions/rules-lifecycle.ts';
import type { Effect, Session, Step } from '../sessions/rules-session.ts';
import { after, newSession, readySession, settings } from '../testing/domain.ts';
import { type Reconciled, type Running, reconcile } from './rules-reconcile.ts';

const away = (session: Session) => after(session, [5_000, { type: 'host_away' }]).session;
const ended = (session: Session) => after(session, [5_000, { type: 'end', reason: 'owner_ended' }]).session;
const line = (state: Running['state'], patch: Partial<Running> = {}): Running => ({
  session_id: 's',
  generation: 1,
  state,
  ...patch,
});

interface Row {
  what: string;
  session: Session;
  inventory: Running[];
  action?: 'keep' | 'stop';
  phase?: SessionPhase;
  effects?: Effect['type'][];
  leftovers?: number;
  reason?: EndReason;
}

const rows: Row[] = [
  {
    what: 'keeps a ready session',
    session: away(readySession()),
    inventory: [line('ready')],
    action: 'keep',
    phase: 'ready',
  },
  {
    what: 'hears late that it is ready',
    session: away(newSession()),
    inventory: [line('ready')],
    action: 'keep',
    phase: 'ready',
  },
  {
    what: 'hears late that the order was taken',
    session: away(newSession()),
    inventory: [line('starting')],
    action: 'keep',
    phase: 'launching',
  },
  {
    what: 'hears late of a restart',
    session: away(readySession()),
    inventory: [line('restarting')],
    action: 'keep',
    phase: 'restarting',
  },
  {
    what: 'takes starting after ready as a restart',
    session: away(readySession()),
    inventory: [line('starting')],
    action: 'keep',
    phase: 'restarting',
  },
  {
    what: 'orders again what was never confirmed',
    session: away(newSession()),
    inventory: [],
    phase: 'assigned',
    effects: ['start'],
  },
  {
    what: 'ends what the host forgot',
    session: away(readySession()),
    inventory: [],
    phase: 'ended',
    reason: 'host_forgot',
    effects: ['close_players'],
  },
  {
    what: 'stops what has ended meanwhile',
    session: ended(away(readySession())),
    inventory: [line('ready')],
    action: 'stop',
  },
  {
    what: 'frees the seat of an ended session that is gone',
    session: ended(readySession()),
    inventory: [],
    phase: 'ended',
    reason: 'owner_ended',
    effects: [],
  },
  {
    what: 'stops another generation and calls ours forgotten',
    session: away(readySession()),
    inventory: [line('ready', { generation: 2 })],
    action: 'stop',
    leftovers: 1,
    reason: 'host_forgot',
    phase: 'ended',
    effects: ['close_players'],
  },
  {
    what: 'stops a session of another host',
    session: { ...readySession(), host: 'other' },
    inventory: [line('ready')],
    action: 'stop',
    leftovers: 1,
  },
  {
    what: 'stops a session that nobody knows',
    session: { ...readySession(), host: 'other' },
    inventory: [line('ready', { session_id: 'x' })],
    action: 'stop',
    leftovers: 1,
  },
];

/** What becomes of the session; undefined where nothing happens to it, or nothing comes of that. */
const stepOf = (session: Session, { events: [happened] }: Reconciled): Step | undefined => {
  const step = happened && transition(session, happened.event, 9_000, settings);
  if (step !== undefined && isRefusal(step)) throw new Error(step.refused);
  return step?.session === session ? undefined : step;
};

describe('reconcile()', () => {
  for (const { what, session, inventory, action, phase, effects = [], leftovers = 0, reason } of rows) {
    test(`reconcile() ${what}`, () => {
      const result = reconcile('h', inventory, [session], 9_000);
      expect(result.answers.map((answer) => answer.action)).toEqual(action === undefined ? [] : [action]);
      expect(result.leftovers.length).toBe(leftovers);
      const step = stepOf(session, result);
      expect(step?.session.phase).toBe(phase);
      expect(step?.session.end?.reason).toBe(reason);
      expect((step?.effects ?? []).map(({ type }) => type)).toEqual(effects);
    });
  }

  test('reconcile() changes nothing when it is repeated', () => {
    const session = away(readySession());
    const first = stepOf(session, reconcile('h', [line('ready')], [session], 9_000))?.session;
    if (first === undefined) throw new Error('no step');
    const again = stepOf(first, reconcile('h', [line('ready')], [first], 9_000))?.session;
    expect({ ...again, version: 0 }).toEqual({ ...first, version: 0 });
  });

  const doubtful: [string, Session, Running[], number, number][] = [
    ['a ready session', away(readySession()), [], 9_001, 9_001],
    ['one that was never confirmed: no order is repeated', away(newSession()), [], 9_001, 9_001],
    ['one that has ended: its seat may still be in use', ended(readySession()), [], 9_001, 9_001],
    ['another generation', away(readySession()), [line('ready', { generation: 2 })], 9_001, 9_001],
    ['no session of another host', { ...readySession(), host: 'other' }, [], 9_001, 0],
    ['nothing that the host has', away(readySession()), [line('ready')], 9_001, 0],
    ['nothing when the time is over', away(readySession()), [], 9_000, 0],
  ];
  for (const [what, session, inventory, until, kept_until] of doubtful) {
    test(`reconcile() leaves alone in doubt: ${what}`, () => {
      const { doubted, events } = reconcile('h', inventory, [session], 9_000, () => until);
      expect([...doubted]).toEqual(kept_until === 0 ? [] : [[session.id, kept_until]]);
      if (kept_until > 0) expect(events).toEqual([]);
      else expect(events).toEqual(reconcile('h', inventory, [session], 9_000).events);
    });
  }
});
