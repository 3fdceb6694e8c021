import type { Bus } from '../kit/bus.ts';
import type { Session } from './rules-session.ts';

/** The topic that is told of when the row of a session has changed. */
export const topicOf = (session_id: string): string => `session ${session_id}`;

/** The topic of a host's sessions: others than the coordinator that has its link have changed one, or started it. */
export const topicOfHost = (host: string): string => `sessions on ${host}`;

/** Tells who waits for news of a session whose row has changed, and who has its host. What is lost is seen a moment later. */
export const tellOfRow = (bus: Pick<Bus, 'tell'>, { id, host }: Pick<Session, 'id' | 'host'>): void => {
  bus.tell(topicOf(id));
  bus.tell(topicOfHost(host));
};
