import type { Participation } from '../../../shared/protocol/http.ts';
import { keepMembership } from './membership.ts';
import { goTo, sessionPath } from './route.ts';

/** Takes the visitor into the session that was just started or joined. */
export const enter = (participation: Participation): void => {
  keepMembership(participation);
  goTo(sessionPath(participation.session.id));
};
