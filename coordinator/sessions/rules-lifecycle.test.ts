import { describe, expect, test } from 'bun:test';
import { isRefusal } from '../../shared/errors.ts';
import { type SessionPhase, sessionPhases } from '../../shared/protocol/session.ts';
import { bounds } from '../kit/limits.ts';
import { after, must, newSession, playedSession, readySession, settings } from '../testing/domain.ts';
import { type HostPhase, type SessionEvent, transition } from './rules-lifecycle.ts';
import { type Effect, participantCount, type Session } from './rules-session.ts';

const progress = (phase: HostPhase): SessionEvent => ({ type: 'progressed', phase });

/** A session in each phase, at 10000. */
const inPhase: Record<SessionPhase, Session> = {
  assigned: newSession(),
  launching: after(newSession(), [1_000, progress('launching')]).session,
  app_started: after(newSession(), [1_000, progress('app_started')]).session,
  ready: playedSession(),
  restarting: after(playedSession(), [3_000, progress('restarting')]).session,
  ended: after(playedSession(), [3_000, { type: 'end', reason: 'owner_ended' }]).session,
};

describe('transition()', () => {
  /** What each event makes of each phase: the phase after it, in the order of `sessionPhases`, or a refusal. */
  const grid: [SessionEvent, ...string[]][] = [
    [progress('launching'), 'launching', 'launching', 'app_started', 'ready', 'restarting', 'ended'],
    [progress('app_started'), 'app_started', 'app_started', 'app_started', 'ready', 'restarting', 'ended'],
    [progress('ready'), 'ready', 'ready', 'ready', 'ready', 'ready', 'ended'],
    [progress('restarting'), 'restarting', 'restarting', 'restarting', 'restarting', 'restarting', 'ended'],
    [{ type: 'host_ended', reason: 'app_crashed' }, 'ended', 'ended', 'ended', 'ended', 'ended', 'ended'],
    [{ type: 'host_away' }, ...sessionPhases],
    [
      { type: 'host_has', state: 'starting' },
      'launching',
      'launching',
      'app_started',
      'restarting',
      'restarting',
      'ended',
    ],
    [{ type: 'host_has', state: 'ready' }, 'ready', 'ready', 'ready', 'ready', 'ready', 'ended'],
    [{ type: 'host_lacks' }, 'assigned', 'ended', 'ended', 'ended', 'ended', 'ended'],
    [{ type: 'host_lost' }, 'ended', 'ended', 'ended', 'ended', 'ended', 'ended'],
    [{ type: 'end', reason: 'owner_ended' }, 'ended', 'ended', 'ended', 'ended', 'ended', 'ended'],
    [
      { type: 'join', id: 'guest', token_hash: 'g', invited: false },
      'assigned',
      'launching',
      'app_started',
      'ready',
      'restarting',
      'session_ended',
    ],
    [{ type: 'leave', participant: 'owner' }, 'ended', 'ended', 'ended', 'ended', 'ended', 'ended'],
    [{ type: 'leave', participant: 'nobody' }, ...sessionPhases],
    [
      { type: 'issue_ticket', participant: 'owner', hash: 't' },
      'session_not_ready',
      'session_not_ready',
      'session_not_ready',
      'ready',
      'session_not_ready',
      'session_ended',
    ],
    [
      { type: 'issue_ticket', participant: 'nobody', hash: 't' },
      'session_not_ready',
      'session_not_ready',
      'session_not_ready',
      'unauthorized',
      'session_not_ready',
      'session_ended',
    ],
    [
      { type: 'use_ticket', hash: 'x' },
      'session_not_ready',
      'session_not_ready',
      'session_not_ready',
      'ticket_unknown',
      'session_not_ready',
      'session_ended',
    ],
    [{ type: 'channel_closed', participant: 'owner', cut: false, streamed: true }, ...sessionPhases],
    [{ type: 'answered', participant: 'owner' }, ...sessionPhases],
    [{ type: 'answered', participant: 'nobody' }, ...sessionPhases],
    [{ type: 'active', participant: 'owner' }, ...sessionPhases],
    [{ type: 'active', participant: 'nobody' }, ...sessionPhases],
    [{ type: 'offer_extension', to: 20_000 }, ...sessionPhases],
    [
      { type: 'extended', to: 2 * 86_400_000 },
      'assigned',
      'launching',
      'app_started',
      'ready',
      'restarting',
      'session_ended',
    ],
    [
      { type: 'extended', to: 2 * 86_400_000 + 1 },
      ...Array<string>(5).fill('extension_longest'),
      'session_ended',
    ],
    [
      { type: 'admit', participant: 'nobody', admitted: true },
      ...Array<string>(5).fill('participant_unknown'),
      'session_ended',
    ],
    [{ type: 'taken_up' }, ...sessionPhases],
    [{ type: 'tick' }, ...sessionPhases],
  ];
  test('transition() has a row for every event', () => {
    const types: Record<SessionEvent['type'], true> = {
      progressed: true,
      host_ended: true,
      host_away: true,
      host_has: true,
      host_lacks: true,
      host_lost: true,
      end: true,
      join: true,
      admit: true,
      active: true,
      offer_extension: true,
      extended: true,
      leave: true,
      issue_ticket: true,
      use_ticket: true,
      answered: true,
      channel_closed: true,
      taken_up: true,
      tick: true,
    };
    expect([...new Set(grid.map(([{ type }]) => type))].sort()).toEqual(
      Object.keys(types).sort() as SessionEvent['type'][],
    );
  });
  for (const [event, ...expected] of grid) {
    const { type, ...what } = event;
    test(`transition() ${type} ${JSON.stringify(what)} in every phase`, () => {
      const found = sessionPhases.map((phase): string => {
        const step = transition(inPhase[phase], event, 10_000, settings);
        return isRefusal(step) ? step.refused : step.session.phase;
      });
      expect(found).toEqual(expected);
    });
  }

  test('transition() of a late or repeated report is the same value', () => {
    for (const event of [progress('ready'), progress('launching')]) {
      expect(must(transition(inPhase.ready, event, 10_000, settings)).session).toBe(inPhase.ready);
    }
  });

  test('transition() keeps the moment at which a phase was first reached', () => {
    const { session } = after(
      newSession(),
      [1, progress('launching')],
      [5, progress('ready')],
      [7, progress('restarting')],
      [9, progress('ready')],
    );
    expect(session.phases).toEqual({ accepted: 0, assigned: 0, launching: 1, ready: 5, restarting: 7 });
    expect(session.version).toBe(5);
  });
});

describe('transition() tick', () => {
  const tick: SessionEvent = { type: 'tick' };
  const reasonAt = (session: Session, now: number) => after(session, [now, tick]).session.end?.reason;

  test('transition() ends a session that does not start in time, restarts included', () => {
    const crashing = after(newSession(), [100_000, progress('restarting')]).session;
    for (const session of [newSession(), crashing]) {
      expect(reasonAt(session, settings.start_timeout_ms - 1)).toBeUndefined();
      expect(reasonAt(session, settings.start_timeout_ms)).toBe('start_timeout');
    }
    const later = after(readySession(), [50_000, progress('restarting')]).session;
    expect(reasonAt(later, 50_000 + settings.start_timeout_ms - 1)).toBeUndefined();
    expect(reasonAt(later, 50_000 + settings.start_timeout_ms)).toBe('start_timeout');
  });

  test('transition() ends a session to which nobody came', () => {
    expect(reasonAt(readySession(), 1_000 + settings.first_join_ms - 1)).toBeUndefined();
    expect(reasonAt(readySession(), 1_000 + settings.first_join_ms)).toBe('nobody_came');
  });

  test('transition() ends a session leave_grace_ms after its last connection closed', () => {
    const closed = after(playedSession(), [
      20_000,
      { type: 'channel_closed', participant: 'owner', cut: false, streamed: true },
    ]).session;
    expect(reasonAt(closed, 20_000 + settings.leave_grace_ms - 1)).toBeUndefined();
    expect(reasonAt(closed, 20_000 + settings.leave_grace_ms)).toBe('last_left');
  });

  test('transition() waits a minute more for a participant who was cut off, and ends then', () => {
    const cut: SessionEvent = { type: 'channel_closed', participant: 'owner', cut: true, streamed: true };
    const { session } = after(playedSession(), [20_000, cut], [20_000 + settings.leave_grace_ms, tick]);
    expect([session.end, participantCount(session)]).toEqual([null, 0]);
    const end = 20_000 + settings.leave_grace_ms + bounds.resume_ms;
    expect(reasonAt(session, end - 1)).toBeUndefined();
    expect(reasonAt(session, end)).toBe('last_left');
    const hash = 'again';
    const resumed = after(
      session,
      [end - 1, { type: 'issue_ticket', participant: 'owner', hash }],
      [end - 1, { type: 'use_ticket', hash }],
      [end - 1, { type: 'answered', participant: 'owner' }],
    ).session;
    expect(participantCount(resumed)).toBe(1);
    expect(reasonAt(resumed, end + bounds.resume_ms)).toBeUndefined();
  });

  test('transition() does not wait for who was cut off and then left', () => {
    const cut: SessionEvent = { type: 'channel_closed', participant: 'owner', cut: true, streamed: true };
    const { session } = after(
      playedSession(),
      [20_000, cut],
      [21_000, { type: 'leave', participant: 'owner' }],
    );
    expect(session.end?.reason).toBe('last_left');
  });

  test('transition() counts a guest who never came as gone, and the session goes on', () => {
    const joined = after(playedSession(), [
      5_000,
      { type: 'join', id: 'guest', token_hash: 'g', invited: false },
    ]).session;
    expect(participantCount(joined)).toBe(2);
    const { session } = after(joined, [5_000 + settings.first_join_ms, tick]);
    expect([participantCount(session), session.phase]).toEqual([1, 'ready']);
  });

  test('transition() counts nobody as gone while the host is away or the app restarts', () => {
    for (const event of [{ type: 'host_away' }, progress('restarting')] satisfies SessionEvent[]) {
      const { session } = after(
        playedSession(),
        [20_000, event],
        [20_000, { type: 'channel_closed', participant: 'owner', cut: false, streamed: true }],
        [100_000, tick],
      );
      expect(session.end).toBeNull();
      const back: SessionEvent = { type: 'host_has', state: 'ready' };
      const served = after(session, [100_000, back]).session;
      expect(reasonAt(served, 100_000 + settings.first_join_ms - 1)).toBeUndefined();
      expect(reasonAt(served, 100_000 + settings.first_join_ms)).toBe('last_left');
    }
  });

  test('transition() repeats the order to stop until the host confirms, then forgets the session', () => {
    const stop: Effect[] = [{ type: 'stop', reason: 'owner_ended' }];
    const ended = after(playedSession(), [10_000, { type: 'end', reason: 'owner_ended' }]);
    expect(ended.effects).toEqual([...stop, { type: 'close_players' }]);
    expect(after(ended.session, [10_000 + bounds.end_repeat_ms - 1, tick]).effects).toEqual([]);
    const repeated = after(ended.session, [10_000 + bounds.end_repeat_ms, tick]);
    expect(repeated.effects).toEqual(stop);
    const confirmed = after(repeated.session, [
      25_000,
      { type: 'host_ended', reason: 'owner_ended' },
    ]).session;
    expect(confirmed).toMatchObject({ seat_held: false, end: { reason: 'owner_ended', at: 10_000 } });
    expect(after(confirmed, [25_000 + bounds.ended_kept_ms - 1, tick]).effects).toEqual([]);
    expect(after(confirmed, [25_000 + bounds.ended_kept_ms, tick]).effects).toEqual([{ type: 'forget' }]);
  });
});

describe('transition() of who never answers the stream', () => {
  const tick: SessionEvent = { type: 'tick' };
  const enter = (id: string, now: number): (readonly [number, SessionEvent])[] => [
    [now, { type: 'issue_ticket', participant: id, hash: `${id} ${now}` }],
    [now, { type: 'use_ticket', hash: `${id} ${now}` }],
  ];

  test('transition() ends a session whose owner only holds a socket open, and closes the socket', () => {
    const silent = after(readySession(), ...enter('owner', 2_000)).session;
    expect(silent.participants[0]).toMatchObject({ channels: 1, came: false });
    expect(after(silent, [1_000 + settings.first_join_ms - 1, tick]).session.end).toBeNull();
    const over = after(silent, [1_000 + settings.first_join_ms, tick]);
    expect(over.session.end?.reason).toBe('nobody_came');
    expect(over.effects).toContainEqual({ type: 'close_players' });
  });

  test('transition() counts a silent guest as gone after its time, closes its socket, and lets it back once it answers', () => {
    const { session } = after(
      playedSession(),
      [5_000, { type: 'join', id: 'guest', token_hash: 'g', invited: false }],
      ...enter('guest', 6_000),
    );
    const late = after(session, [5_000 + settings.first_join_ms, tick]);
    expect(participantCount(late.session)).toBe(1);
    expect(late.effects).toEqual([{ type: 'close_players', participant: 'guest' }]);
    const closed: SessionEvent = {
      type: 'channel_closed',
      participant: 'guest',
      cut: false,
      streamed: false,
    };
    const again = after(late.session, [70_000, closed], ...enter('guest', 70_000)).session;
    expect(participantCount(again)).toBe(1);
    expect(participantCount(after(again, [71_000, { type: 'answered', participant: 'guest' }]).session)).toBe(
      2,
    );
  });

  test('transition() lets nobody keep a seat by tickets that are never used, or sockets that come and go', () => {
    const left = after(playedSession(), [
      20_000,
      { type: 'channel_closed', participant: 'owner', cut: false, streamed: true },
    ]).session;
    let session = left;
    let now = 20_000;
    for (; session.end === null && now < 600_000; now += 5_000) {
      const steps: (readonly [number, SessionEvent])[] = [...enter('owner', now), [now, tick]];
      session = after(session, ...steps.slice(0, now % 2 === 0 ? 1 : 2), [now, tick]).session;
    }
    expect(session.end?.reason).toBe('last_left');
    expect(now).toBeLessThanOrEqual(20_000 + settings.first_join_ms + 5_000);
  });

  test('transition() lets no row of newcomers keep a seat in which nobody ever plays', () => {
    let session = readySession();
    let now = 1_000;
    for (; session.end === null && now < 3_600_000; now += 40_000) {
      const join: SessionEvent = { type: 'join', id: `g${now}`, token_hash: `g${now}`, invited: true };
      session = after(session, [now, tick]).session;
      if (session.end === null) session = after(session, [now, join]).session;
    }
    expect(session.end?.reason).toBe('nobody_came');
    expect(now).toBeLessThan(1_000 + 4 * settings.first_join_ms);
  });

  test('transition() lets a silent guest cancel no countdown, and ends a session of silent pages', () => {
    const idle = { ...playedSession(), idle_ms: 300_000 };
    const counting = after(idle, [10_000, { type: 'active', participant: 'owner' }], [260_000, tick]).session;
    expect(counting.idle_at).toBe(310_000);
    const { session } = after(
      counting,
      [261_000, { type: 'join', id: 'guest', token_hash: 'g', invited: true }],
      ...enter('guest', 261_000),
      [261_500, { type: 'answered', participant: 'guest' }],
      [262_000, tick],
    );
    expect(session.idle_at).toBe(310_000);
    expect(after(session, [310_000, tick]).session.end?.reason).toBe('idle');
    const silent = 2_000 + settings.silent_page_ms + 300_000;
    expect(after(idle, [silent - 1, tick]).session.end).toBeNull();
    expect(after(idle, [silent, tick]).session.end?.reason).toBe('idle');
  });

  test('transition() sends a guest away for good at the word of the owner', () => {
    const { session } = after(
      playedSession(),
      [5_000, { type: 'join', id: 'guest', token_hash: 'g', invited: true }],
      ...enter('guest', 6_000),
      [6_000, { type: 'answered', participant: 'guest' }],
    );
    const sent = after(session, [7_000, { type: 'admit', participant: 'guest', admitted: false }]);
    expect(sent.effects).toEqual([{ type: 'close_players', participant: 'guest' }]);
    expect(participantCount(sent.session)).toBe(1);
    const ticket: SessionEvent = { type: 'issue_ticket', participant: 'guest', hash: 't' };
    expect(transition(sent.session, ticket, 8_000, settings)).toEqual({ refused: 'forbidden' });
    const owner: SessionEvent = { type: 'admit', participant: 'owner', admitted: false };
    expect(transition(session, owner, 8_000, settings)).toEqual({ refused: 'participant_unknown' });
  });
});

describe('transition() tickets', () => {
  const issue = (hash: string, participant = 'owner'): SessionEvent => ({
    type: 'issue_ticket',
    participant,
    hash,
  });

  test('transition() issues none while the host is away', () => {
    const { session } = after(readySession(), [2_000, { type: 'host_away' }]);
    expect(transition(session, issue('t'), 3_000, settings)).toEqual({ refused: 'host_offline' });
    expect(transition(session, { type: 'use_ticket', hash: 't' }, 3_000, settings)).toEqual({
      refused: 'host_offline',
    });
  });

  test('transition() brings back someone who was counted as gone', () => {
    const guest = after(
      playedSession(),
      [5_000, { type: 'join', id: 'guest', token_hash: 'g', invited: false }],
      [99_000, { type: 'tick' }],
    );
    const back = after(
      guest.session,
      [100_000, issue('t', 'guest')],
      [101_000, { type: 'use_ticket', hash: 't' }],
    );
    expect(participantCount(back.session)).toBe(1);
    const there = after(back.session, [102_000, { type: 'answered', participant: 'guest' }]);
    expect(participantCount(there.session)).toBe(2);
  });

  const tick: SessionEvent = { type: 'tick' };
  const use: SessionEvent = { type: 'use_ticket', hash: 'ticket' };
  const lost = (cut: boolean): SessionEvent => ({
    ...{ type: 'channel_closed', participant: 'owner', cut, streamed: true },
    ticket: 'ticket',
  });

  test('transition() lets the ticket of a connection that was cut open another for a minute', () => {
    const { session } = after(playedSession(), [200_000, lost(true)]);
    const last = 200_000 + bounds.ticket_again_ms - 1;
    const back = after(
      session,
      [last, tick],
      [last, use],
      [last, { type: 'answered', participant: 'owner' }],
    );
    expect(participantCount(back.session)).toBe(1);
    expect(transition(session, use, last + 1, settings)).toEqual({ refused: 'ticket_expired' });
    const there: SessionEvent = { type: 'answered', participant: 'owner' };
    const again = after(
      session,
      [210_000, use],
      [210_000, there],
      [900_000, lost(true)],
      [950_000, use],
    ).session;
    expect(transition(again, use, 950_000, settings)).toEqual({ refused: 'ticket_used' });
  });

  test('transition() lets no ticket bring back who left, was sent away or closed the page long ago', () => {
    const guest = after(
      playedSession(),
      [5_000, { type: 'join', id: 'guest', token_hash: 'g', invited: false }],
      [6_000, issue('g', 'guest')],
      [6_000, { type: 'use_ticket', hash: 'g' }],
      [6_000, { type: 'answered', participant: 'guest' }],
    ).session;
    const useGuest: SessionEvent = { type: 'use_ticket', hash: 'g' };
    const ends = (cut: boolean): SessionEvent => ({
      ...{ type: 'channel_closed', participant: 'guest', cut, streamed: true },
      ticket: 'g',
    });
    const left = after(guest, [7_000, ends(true)], [8_000, { type: 'leave', participant: 'guest' }]).session;
    expect(transition(left, useGuest, 8_001, settings)).toEqual({ refused: 'ticket_unknown' });
    const sent = after(guest, [7_000, { type: 'leave', participant: 'guest' }], [7_000, ends(false)]).session;
    expect(transition(sent, useGuest, 7_001, settings)).toEqual({ refused: 'ticket_unknown' });
    const closed = after(guest, [7_000, ends(false)], [7_000 + settings.leave_grace_ms, tick]).session;
    expect(transition(closed, useGuest, 20_000, settings)).toEqual({ refused: 'ticket_unknown' });
    const reloaded = after(guest, [7_000, ends(false)], [9_000, useGuest]).session;
    expect(participantCount(reloaded)).toBe(2);
  });

  test('transition() refuses one who was gone when the session is full meanwhile', () => {
    const { session } = after(
      playedSession(),
      [5_000, { type: 'join', id: 'a', token_hash: 'a', invited: false }],
      [5_000, { type: 'leave', participant: 'a' }],
      [6_000, { type: 'join', id: 'b', token_hash: 'b', invited: false }],
      [6_000, { type: 'join', id: 'c', token_hash: 'c', invited: false }],
    );
    expect(transition(session, issue('t', 'a'), 7_000, settings)).toEqual({ refused: 'session_full' });
    expect(
      transition(session, { type: 'join', id: 'd', token_hash: 'd', invited: false }, 7_000, settings),
    ).toEqual({
      refused: 'session_full',
    });
  });

  test('transition() gives whoever holds a ticket time to use it', () => {
    const { session } = after(
      playedSession(),
      [20_000, { type: 'channel_closed', participant: 'owner', cut: false, streamed: true }],
      [29_000, issue('t')],
    );
    expect(session.participants[0]?.leave_at).toBe(29_000 + bounds.ticket_ms);
  });

  test('transition() bounds the connections of one participant', () => {
    const open = (session: Session, n: number): Session =>
      n === 0
        ? session
        : open(
            after(session, [3_000, issue(`t${n}`)], [3_000, { type: 'use_ticket', hash: `t${n}` }]).session,
            n - 1,
          );
    const full = after(open(playedSession(), bounds.channels_per_participant - 1), [
      3_000,
      issue('more'),
    ]).session;
    const answer = transition(full, { type: 'use_ticket', hash: 'more' }, 3_000, settings);
    expect(isRefusal(answer) && answer.refused).toBe('session_full');
  });

  test('transition() of an extension takes back that the session is cut short', () => {
    const step = after({ ...playedSession(), cut_short: true }, [
      3_000,
      { type: 'extended', to: 2 * 86_400_000 },
    ]);
    expect(step.session.cut_short).toBe(false);
  });

  test("transition() of a leave closes that participant's connections and ends with the last one", () => {
    const two = after(playedSession(), [
      5_000,
      { type: 'join', id: 'guest', token_hash: 'g', invited: false },
    ]).session;
    const left = after(two, [6_000, { type: 'leave', participant: 'owner' }]);
    expect(left.effects).toEqual([{ type: 'close_players', participant: 'owner' }]);
    const last = after(left.session, [7_000, { type: 'leave', participant: 'guest' }]).session;
    expect(last.end).toEqual({ reason: 'last_left', at: 7_000 });
  });
});
