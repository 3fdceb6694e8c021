import { isRefusal, type Refusal } from '../../shared/errors.ts';
import { capacityOf } from '../seats/rules-capacity.ts';
import { type Host, hostExpected } from '../seats/rules-hosts.ts';
import type { SessionSettings } from '../sessions/rules.ts';
import { type SessionEvent, transition } from '../sessions/rules-lifecycle.ts';
import { openSession, type Session, type Step } from '../sessions/rules-session.ts';

/** Values for tests of the domain. Instants are small numbers. */
export const settings: SessionSettings = {
  start_timeout_ms: 120_000,
  first_join_ms: 60_000,
  leave_grace_ms: 10_000,
  silent_page_ms: 900_000,
  host_lost_ms: 120_000,
  no_show_ms: 900_000,
  code_digits: 4,
  participants: 3,
};

/** The step, where a refusal would be the test's fault. */
export const must = (step: Step | Refusal): Step => {
  if (isRefusal(step)) throw new Error(`refused: ${step.refused}`);
  return step;
};

/** A session on host "h" that was opened at 0 by the participant "owner". */
export const newSession = (): Session =>
  openSession(
    {
      id: 's',
      app: 'Loft',
      host: 'h',
      seat: 0,
      account_id: null,
      booking_id: null,
      code: '0001',
      language: null,
      invite: 'invite',
      lobby: false,
      ends_at: 86_400_000,
      longest_end: 2 * 86_400_000,
      cut_short: false,
      idle_ms: 0,
      awaited_until: null,
      owner: { id: 'owner', token_hash: 'owner-token' },
    },
    0,
    settings,
  ).session;

/** The last step after a list of events, each at its time. */
export const after = (
  session: Session,
  ...events: readonly (readonly [now: number, event: SessionEvent])[]
): Step =>
  events.reduce<Step>((step, [now, event]) => must(transition(step.session, event, now, settings)), {
    session,
    effects: [],
  });

/** A session that became ready at 1000. */
export const readySession = (): Session =>
  after(newSession(), [1_000, { type: 'progressed', phase: 'ready' }]).session;

/** A session that became ready at 1000 and whose owner answered the stream at 2000. */
export const playedSession = (): Session =>
  after(
    readySession(),
    [2_000, { type: 'issue_ticket', participant: 'owner', hash: 'ticket' }],
    [2_000, { type: 'use_ticket', hash: 'ticket' }],
    [2_000, { type: 'answered', participant: 'owner' }],
  ).session;

export const host = (name: string, patch: Partial<Host> = {}): Host => ({
  ...hostExpected(name, capacityOf(patch.seats ?? 2)),
  seats: 2,
  apps: ['Loft'],
  epoch: 1,
  ...patch,
});
