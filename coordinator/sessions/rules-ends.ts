import type { EndReason } from '../../shared/protocol/session.ts';

/** What the people in a session read when it ends: what happened, and what they can do. */
export const endTexts: Record<EndReason, string> = {
  last_left: 'Everybody has left the session.',
  nobody_came: 'Nobody connected to the session in time.',
  owner_ended: 'The owner ended the session.',
  time_up: 'The time of the session is over.',
  idle: 'Nobody did anything in the session for too long.',
  admin_ended: 'An administrator ended the session.',
  start_timeout: 'The app did not start in time. Try again, or tell the operator.',
  app_not_found: 'The host cannot find the program of this app. Tell the operator.',
  app_exited: 'The app was closed.',
  app_crashed: 'The app crashed and could not be started again.',
  signalling_failed: 'The signalling server of the session failed. Try again, or tell the operator.',
  no_port: 'The host has no free port for the session. Tell the operator.',
  app_hung: 'The app stopped answering and could not be started again.',
  memory_limit: 'The app took more memory than it may.',
  time_limit: 'The app has run for as long as it may.',
  host_lost: 'The host of the session lost its connection for too long.',
  host_stopped: 'The host of the session was stopped.',
  host_forgot: 'The host was restarted and no longer runs the session.',
  host_refused: 'The host refused to start the session. Try again.',
  coordinator_forgot: 'The coordinator was restarted and does not know the session.',
};

/** The same for one of them: an owner who has ended it reads so, and not of somebody else. */
export const endTextFor = (reason: EndReason, { owner }: { readonly owner: boolean }): string =>
  owner && reason === 'owner_ended' ? 'You have ended the session for everyone.' : endTexts[reason];
