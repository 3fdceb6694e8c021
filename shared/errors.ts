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
    'The ticket was used before; each opens one connection. Ask for a new one.',
  ),
  agent_key_wrong: row(401, 4401, false, 'The key is not the one in servers.json for this server_name.'),
  agent_version: row(
    400,
    4400,
    false,
    'Agent and coordinator speak different protocol versions. Update the older one.',
  ),
  agent_superseded: row(409, 4409, false, 'Another agent connected with the same server_name and key.'),
  host_offline: row(503, 4503, true, 'The host of this session is not connected right now. It keeps trying.'),
  channel_refused: row(502, 4502, true, 'The host could not open its signalling server for this player.'),
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
}

export const refuse = (refused: ErrorCode, detail?: string): Refusal =>
  detail === undefined ? { refused } : { refused, detail };

export const isRefusal = (value: unknown): value is Refusal =>
  typeof value === 'object' && value !== null && 'refused' in value;

/** The one sentence a person reads: the general text, and the detail when there is one. */
export const explain = ({ refused, detail }: Refusal): string =>
  detail === undefined ? errors[refused].text : `${errors[refused].text} (${detail})`;
