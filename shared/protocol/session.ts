import { z } from 'zod';

/**
 * Why a session ended. The numbers are stable: records, webhooks and pages key on them.
 * 1-9 people, 10-19 the app, 20-29 the host, 30-39 the coordinator.
 */
export const endReasons = {
  last_left: 1,
  nobody_came: 2,
  owner_ended: 3,
  time_up: 4,
  idle: 5,
  admin_ended: 6,
  start_timeout: 10,
  app_not_found: 11,
  app_exited: 12,
  app_crashed: 13,
  signalling_failed: 14,
  no_port: 15,
  app_hung: 16,
  memory_limit: 17,
  time_limit: 18,
  host_lost: 20,
  host_stopped: 21,
  host_forgot: 22,
  host_refused: 23,
  coordinator_forgot: 30,
} as const;

export type EndReason = keyof typeof endReasons;

export const endReasonSchema = z.enum(Object.keys(endReasons) as [EndReason, ...EndReason[]]);

/**
 * Where a session is: `assigned` a seat was chosen and the host told; `launching` the host works on it; `app_started`
 * the app's process is up; `ready` the streamer has registered; `restarting` the app died and is started again;
 * `ended`, with a reason.
 */
export const sessionPhases = [
  'assigned',
  'launching',
  'app_started',
  'ready',
  'restarting',
  'ended',
] as const;
export const sessionPhaseSchema = z.enum(sessionPhases);
export type SessionPhase = z.infer<typeof sessionPhaseSchema>;
