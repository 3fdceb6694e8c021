import type { EndReason } from '../../shared/protocol/session.ts';
import type { FailureCode } from './api.ts';

export interface Ending {
  title: string;
  text: string;
}

const failures: Record<FailureCode, string> = {
  unreachable: 'No connection to the server. Check your network; we keep trying.',
  unreadable: 'The server answered in a way this page does not understand. Reload the page.',
  malformed: 'The server did not understand the request. Reload the page and try again.',
  unknown_verb: 'The server did not understand the request. Reload the page and try again.',
  frame_too_large: 'The message was too large to send.',
  too_many_messages: 'Too many attempts at once. Wait a moment and try again.',
  too_slow: 'Your connection is too slow to keep up. Try again.',
  unauthorized: 'This tab has no access to the session any more. Join with the code once more.',
  forbidden: 'Only the person who started the session may do this.',
  origin_refused: 'This page may not connect to the server. Tell the person who sent you the link.',
  not_found: 'There is nothing at this address.',
  app_unknown: 'This tour is no longer in the catalogue.',
  app_offline: 'This tour is not available right now: its computers are switched off. Try again later.',
  servers_busy: 'All places are busy right now. Try again in a few minutes, when somebody has finished.',
  session_unknown: 'There is no such session. It has probably ended.',
  session_ended: 'This session has ended. You can start a new one.',
  session_not_ready: 'The tour is still starting. It will open in a moment.',
  session_full: 'The session already has as many people as it can take.',
  code_unknown: 'No session has this code. Check the digits with the person who sent it.',
  ticket_unknown: 'The connection pass was not accepted. We are getting a new one.',
  ticket_expired: 'The connection pass has expired. We are getting a new one.',
  ticket_used: 'The connection pass was used before. We are getting a new one.',
  agent_key_wrong: 'The computer with the tour is not set up correctly.',
  agent_version: 'The computer with the tour needs an update.',
  agent_superseded: 'The computer with the tour was replaced by another one.',
  host_offline: 'The computer with the tour is out of reach. We keep trying.',
  channel_refused: 'The computer with the tour could not open a connection for you. We keep trying.',
  time_skipped: 'The clocks go forward that day and skip this time. Choose another one.',
  time_ambiguous: 'The clocks go back that day and show this time twice. Choose which of the two.',
  time_past: 'This time has passed. Choose a later one.',
  storage_full: 'The server cannot store anything right now. Try again later.',
  storage_away: 'The database does not answer. Try again in a minute.',
  storage_unknown: 'The connection to the database broke. Check whether it worked, and repeat it if not.',
  shutting_down: 'The server is restarting. Try again in a moment.',
  internal: 'Something went wrong on our side. Try again in a moment.',
};

const endings: Record<EndReason, Ending> = {
  last_left: { title: 'The session is over', text: 'Everyone has left, so it was closed.' },
  nobody_came: { title: 'The session was closed', text: 'Nobody connected in time, so the place was freed.' },
  owner_ended: { title: 'The session is over', text: 'The person who started it has ended it for everyone.' },
  start_timeout: {
    title: 'The tour did not start',
    text: 'It took too long to start and was stopped. Please try again.',
  },
  app_not_found: {
    title: 'The tour did not start',
    text: 'It is missing on the computer that should show it. We will have to mend this; try another one.',
  },
  app_exited: { title: 'The tour has closed', text: 'The application has closed itself.' },
  app_crashed: {
    title: 'The tour has stopped',
    text: 'The application failed and could not be restarted. Please start again.',
  },
  signalling_failed: {
    title: 'The tour has stopped',
    text: 'The connection service on its computer failed. Please start again.',
  },
  no_port: {
    title: 'The tour did not start',
    text: 'Its computer had no room for one more. Try again shortly.',
  },
  host_lost: { title: 'The connection was lost', text: 'The computer with the tour went offline.' },
  host_stopped: {
    title: 'The session was closed',
    text: 'The computer with the tour was switched off for service.',
  },
  host_forgot: { title: 'The session was lost', text: 'The computer with the tour was restarted.' },
  host_refused: {
    title: 'The tour did not start',
    text: 'Its computer refused to take it. Please try again.',
  },
  coordinator_forgot: {
    title: 'The session was lost',
    text: 'The server was restarted and had to close it.',
  },
};

export const en = {
  languageName: 'English',
  languageSwitch: 'Language',

  catalogueTitle: 'Walk through your future home',
  catalogueLead: 'Choose a residential complex and it opens right here, live. Nothing to install.',
  catalogueHeading: 'Residential complexes',
  start: 'Start',
  starting: 'Starting…',
  seatsFree: (free: number) => (free === 1 ? '1 place free' : `${free} places free`),
  seatsBusy: 'All places are busy',
  seatsBusyHint: 'Somebody is walking through it. A place frees up when they finish.',
  seatsOffline: 'Not available now',
  seatsOfflineHint: 'Its computers are switched off. Please come back later.',
  listLoading: 'Loading the list',
  listEmptyTitle: 'No complexes yet',
  listEmpty: 'The list is empty for now. It fills by itself as soon as the first one is added.',
  listUnreachable: 'No connection to the server. Trying again…',
  listStale: 'No connection to the server. The list may be out of date; trying again…',

  joinTitle: 'Join with a code',
  joinLead: 'Somebody has started a tour and sent you a code? Enter it here.',
  joinInvited: 'You are invited to a tour',
  joinInvitedLead: 'The code from your link is filled in. Press “Join”.',
  codeLabel: 'Code',
  codeShort: 'A code has at least 4 digits.',
  join: 'Join',
  joining: 'Joining…',

  waitingTitle: 'Preparing your tour',
  waitingNote: 'It opens by itself. You can keep this tab in the background.',
  steps: {
    reserve: 'Reserving a computer for you',
    launch: 'Starting the application',
    load: 'Loading the complex',
    connect: 'Connecting the picture',
  },
  seconds: (seconds: string) => `${seconds} s`,
  elapsed: 'Elapsed',
  restartingTitle: 'The tour is restarting',
  restartingNote:
    'The application has closed unexpectedly. We are starting it again; you do not lose your place.',
  openingTitle: 'Opening the session',
  reconnectingTitle: 'Restoring the connection',
  reconnectingNote: 'The picture comes back by itself.',
  gaveUpTitle: 'The picture does not come back',
  gaveUpNote: 'The session is still alive, but the connection fails. Check your network and try again.',
  tryAgain: 'Try again',
  pressToPlay: 'Press to start the video',
  serverSilent: 'No connection to the server; trying again…',

  startAgain: 'Start again',
  backToList: 'Back to the list',
  noTokenTitle: 'This session is not open in this tab',
  noTokenText: 'You can join it with the code that the people inside can see.',
  goneTitle: 'The session is over',

  controls: 'Session controls',
  showControls: 'Show controls',
  hideControls: 'Hide controls',
  codeToGive: 'Code for guests',
  copyInvite: 'Copy invitation',
  copied: 'Copied',
  copyFailed: 'Could not copy. Tell them the code.',
  inviteText: (title: string, url: string) => `Join me in “${title}”: ${url}`,
  participants: (count: number) => (count === 1 ? '1 person here' : `${count} people here`),
  soundOn: 'Turn sound on',
  soundOff: 'Turn sound off',
  fullScreen: 'Full screen',
  exitFullScreen: 'Exit full screen',
  leave: 'Leave',
  leaveTitle: 'Leave the session?',
  leaveText: 'If you leave, the others can stay. If you end it, it closes for everyone at once.',
  leaveAloneText: 'Nobody else is here: the tour will be closed.',
  leaveOnly: 'Leave, the others stay',
  endForAll: 'End for everyone',
  stay: 'Stay',
  incident: (id: string) => `Incident ${id}`,

  failures,
  endings,
};

/** Every text of the site. English is the pattern: a text that another language lacks does not compile. */
export type Texts = typeof en;
