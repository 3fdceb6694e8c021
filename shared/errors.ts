/**
 * The closed list of errors. A code is stable and meant for programs; `text` is for people and says what to do.
 * `http` is the status of a REST answer, `close` the WebSocket close code, `retryable` whether trying again can help.
 */
const list = {
  malformed: row(
    400,
    1007,
    false,
    'The message is not valid. Compare it with the protocol page and send it again.',
  ),
  unknown_verb: row(
    400,
    1008,
    false,
    'This message type is not known here. Compare it with the protocol page.',
  ),
  frame_too_large: row(413, 1009, false, 'The message is larger than this connection accepts.'),
  too_many_messages: row(429, 1008, true, 'Too many messages at once. Wait a little and connect again.'),
  too_slow: row(503, 1013, true, 'The connection reads too slowly to keep up. Connect again.'),
  idle: row(408, 4408, true, 'Nothing was said here for a long time. Connect again when there is something.'),
  unauthorized: row(401, 4401, false, 'Credentials are missing or wrong.'),
  forbidden: row(403, 4403, false, 'These credentials do not allow this.'),
  origin_refused: row(
    403,
    4403,
    false,
    'Pages of this site may not connect here. Add it to allowed_origins if they should.',
  ),
  not_found: row(404, 4404, false, 'There is nothing at this address.'),
  app_unknown: row(404, 4404, false, 'There is no such app. Ask for the list of apps.'),
  app_offline: row(503, 4503, true, 'No host that has this app is connected right now. Try again later.'),
  servers_busy: row(503, 4503, true, 'All hosts of this app are busy. Try again when a session has ended.'),
  visitor_share: row(
    429,
    4429,
    true,
    'This network has as much as callers without an account may have. Log in, or wait until some of it is over.',
  ),
  visitors_full: row(
    503,
    4503,
    true,
    'What callers without an account may have together is taken. Log in, or try again later.',
  ),
  codes_used_up: row(503, 4503, true, 'No session code is free. Ask the operator to raise code_digits.'),
  session_unknown: row(404, 4404, false, 'There is no such session.'),
  session_ended: row(410, 4410, false, 'This session has ended. Start a new one.'),
  session_not_ready: row(409, 4409, true, 'The app is still starting. Wait for the session to be ready.'),
  session_full: row(409, 4409, true, 'The session has as many participants as it may have.'),
  code_unknown: row(
    404,
    4404,
    false,
    'No live session has this code. Check the digits with the person who sent it.',
  ),
  ticket_unknown: row(401, 4401, false, 'The ticket is not valid for this session. Ask for a new one.'),
  ticket_expired: row(401, 4401, true, 'The ticket has expired. Ask for a new one.'),
  ticket_used: row(
    401,
    4401,
    true,
    'The ticket is in use; each opens one connection at a time. Ask for a new one.',
  ),
  agent_key_wrong: row(
    401,
    4401,
    false,
    'The key is not the one that the coordinator has for this server_name. Compare it, or make a new one.',
  ),
  agent_version: row(
    400,
    4400,
    false,
    'Agent and coordinator speak different protocol versions. Update the older one.',
  ),
  agent_superseded: row(409, 4409, false, 'Another agent connected with the same server_name and key.'),
  host_quarantined: row(
    423,
    4423,
    false,
    'This host is locked: two machines had its key. Keep one of them and enrol that one anew.',
  ),
  enrolment_wrong: row(
    410,
    4410,
    false,
    'This enrolment token was used, has expired or is unknown. Ask an operator for a new one.',
  ),
  host_offline: row(503, 4503, true, 'The host of this session is not connected right now. It keeps trying.'),
  channel_refused: row(502, 4502, true, 'The host could not open its signalling server for this player.'),
  channel_lost: row(
    409,
    4409,
    true,
    'The connection was away for too long, or too much was missed meanwhile (recovered: false). Connect anew.',
  ),
  time_skipped: row(
    422,
    4422,
    false,
    'The clock skips this time: it is set forward there. Choose another time.',
  ),
  time_ambiguous: row(
    422,
    4422,
    false,
    'The clock shows this time twice: it is set back there. Say which one, "earlier" or "later".',
  ),
  time_past: row(422, 4422, false, 'This time has passed. Choose a later one.'),
  app_disabled: row(409, 4409, false, 'This app is switched off. Ask an operator to switch it on.'),
  account_required: row(401, 4401, false, 'This needs an account. Log in first.'),
  quota_exceeded: row(
    429,
    4429,
    true,
    'A limit is reached. Cancel or finish something, wait for the next period, or ask an administrator.',
  ),
  time_taken: row(409, 4409, false, 'This time is taken. Ask for the free times and choose another.'),
  booking_unknown: row(404, 4404, false, 'There is no such booking, or it is not yours.'),
  booking_closed: row(
    409,
    4409,
    false,
    'This booking can no longer be changed: it has begun, is over or was cancelled.',
  ),
  booking_not_open: row(409, 4409, true, 'It is too early. The booking opens shortly before its time.'),
  extension_refused: row(409, 4409, false, 'The time after this session is taken.'),
  extension_early: row(
    409,
    4409,
    true,
    'It is too early: a session is made longer shortly before its end, when extendable_to says until when.',
  ),
  extension_longest: row(
    409,
    4409,
    false,
    'The session is as long as it may be. Start another one after it.',
  ),
  queue_unknown: row(404, 4404, false, 'This place in the queue is gone. Queue again.'),
  lobby_waiting: row(409, 4409, true, 'The owner of the session has not let you in yet. Wait.'),
  codes_closed: row(
    429,
    4429,
    true,
    'Too many codes were typed from this network. Wait ten minutes, or use the invite link.',
  ),
  invite_unknown: row(
    404,
    4404,
    false,
    'This invite opens nothing: the session is over, or the link is incomplete.',
  ),
  participant_unknown: row(404, 4404, false, 'There is no such participant in the session.'),
  login_failed: row(401, 4401, false, 'E-mail or password are wrong, or the account is not approved.'),
  login_throttled: row(
    429,
    4429,
    true,
    'Too many wrong passwords. Wait a little, or log in on a device where you have done so before.',
  ),
  password_weak: row(
    422,
    4422,
    false,
    'The password is too short or too common. Take at least 10 characters.',
  ),
  reset_link_wrong: row(
    410,
    4410,
    false,
    'This link was used, has expired or is incomplete. Ask an administrator for a new one.',
  ),
  account_unknown: row(404, 4404, false, 'There is no such account.'),
  account_decided: row(409, 4409, false, 'The account has already been approved or rejected.'),
  last_admin: row(409, 4409, false, 'This is the last administrator. Make another one first.'),
  too_busy: row(503, 1013, true, 'The server is too busy right now. Try again in a moment.'),
  host_unknown: row(404, 4404, false, 'There is no such host.'),
  name_taken: row(409, 4409, false, 'This name is taken. Choose another.'),
  in_use: row(409, 4409, false, 'Bookings or live sessions still use this. Cancel or end them first.'),
  too_many: row(409, 4409, false, 'There are as many of these as there may be. Remove one first.'),
  managed_by_file: row(409, 4409, false, 'This is described in servers.json. Change it there.'),
  webhook_unknown: row(404, 4404, false, 'There is no such webhook.'),
  version_required: row(
    428,
    4428,
    false,
    'Say which version you change: If-Match with the ETag of your last read.',
  ),
  version_conflict: row(
    412,
    4412,
    false,
    'Someone has changed this since you read it. Read it again and repeat the change.',
  ),
  idempotency_mismatch: row(
    422,
    4422,
    false,
    'This Idempotency-Key came with another request before. Make a new key for a new request.',
  ),
  idempotency_running: row(
    409,
    4409,
    true,
    'A request with this Idempotency-Key is still running. Repeat it in a moment.',
  ),
  misdirected: row(
    421,
    4421,
    false,
    'This server does not serve this host name. Ask the operator to set public_url or allowed_hosts.',
  ),
  storage_full: row(
    507,
    1013,
    true,
    'Nothing can be stored now: the disk is full. An operator has to free space; then try again.',
  ),
  storage_away: row(503, 1013, true, 'The database does not answer right now. Try again in a moment.'),
  storage_unknown: row(
    503,
    1013,
    true,
    'The database went away while it stored this. Look whether it was done, or repeat with the same Idempotency-Key.',
  ),
  row_unreadable: row(
    500,
    1011,
    false,
    'What is stored of this cannot be read by this version. Tell the operator: "coordinator check" names the row.',
  ),
  shutting_down: row(503, 1001, true, 'The server is shutting down. Connect again in a moment.'),
  internal: row(
    500,
    1011,
    true,
    'Something went wrong on our side. Quote the incident id when you report it.',
  ),
} as const;

function row(http: number, close: number, retryable: boolean, text: string) {
  return { http, close, retryable, text };
}

export type ErrorCode = keyof typeof list;

export const errors: Record<ErrorCode, { http: number; close: number; retryable: boolean; text: string }> =
  list;

export const errorCodes = Object.keys(list) as [ErrorCode, ...ErrorCode[]];

/** A decision's "no": a code from the list, and optionally what about this very request was wrong. */
export interface Refusal {
  refused: ErrorCode;
  detail?: string;
  /** In how many seconds trying again can help. */
  retry_after?: number;
}

export const refuse = (refused: ErrorCode, detail?: string): Refusal =>
  detail === undefined ? { refused } : { refused, detail };

/** A refusal that ends in so many ms; it says so in whole seconds. */
export const refuseFor = (refused: ErrorCode, wait_ms: number, detail?: string): Refusal => {
  const retry_after = Math.max(1, Math.ceil(wait_ms / 1_000));
  const wait = `wait ${retry_after} s`;
  return { ...refuse(refused, detail === undefined ? wait : `${detail}: ${wait}`), retry_after };
};

/** What usually has passed after so many seconds, where nobody can say when trying again helps. */
const usual_wait_s = 5;
const usual_waits_s: Partial<Record<ErrorCode, number>> = { codes_closed: 600, codes_used_up: 60 };

/** In how many seconds trying again can help: for each refusal that says "too many" or "not now", by its HTTP status. */
export const waitOf = ({ refused, retry_after }: Refusal): number | undefined =>
  retry_after ??
  ([429, 503].includes(errors[refused].http) ? (usual_waits_s[refused] ?? usual_wait_s) : undefined);

export const isRefusal = (value: unknown): value is Refusal =>
  typeof value === 'object' && value !== null && 'refused' in value;

/** The one sentence a person reads: the general text, and the detail when there is one. */
export const explain = ({ refused, detail }: Refusal): string =>
  detail === undefined ? errors[refused].text : `${errors[refused].text} (${detail})`;
