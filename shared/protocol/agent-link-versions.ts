import type { fromAgent, toAgent } from './agent-link.ts';
import type { MessageOf } from './message.ts';
import type { EndReason } from './session.ts';

type ToAgent = MessageOf<typeof toAgent>;
type FromAgent = MessageOf<typeof fromAgent>;

/** What version 2 added: whole messages, and fields of messages that version 1 has. */
const added_messages: readonly string[] = ['DISCONNECT_USER', 'WARM', 'DRAINING', 'PLAYER_ANSWERED'];
const added_fields: Readonly<Record<string, readonly string[]>> = {
  WELCOME: ['protocol', 'answers', 'draining'],
  CREATE_SESSION: ['card', 'language'],
  CONNECT_USER_TO_SESSION: ['resumable'],
  HELLO: ['version', 'life', 'cards', 'placing', 'needs', 'warm', 'answers', 'drains'],
  HEARTBEAT: ['figures', 'warm'],
};

/** Why a session ended, where version 1 has no word for it. */
const older_reasons: Partial<Record<EndReason, EndReason>> = {
  app_hung: 'app_crashed',
  memory_limit: 'app_crashed',
  time_limit: 'time_up',
};

/** The message as version 1 knows it; undefined when it does not know it at all. */
const asFirst = <M extends ToAgent | FromAgent>(message: M): M | undefined => {
  const name = 'verb' in message ? message.verb : message.msg;
  if (added_messages.includes(name)) return undefined;
  const dropped = added_fields[name] ?? [];
  const known = Object.fromEntries(Object.entries(message).filter(([field]) => !dropped.includes(field)));
  // Only optional fields were taken away.
  return known as M;
};

/** What a peer that speaks `version` is sent instead of the message; undefined for nothing. */
export const forAgent = (version: number, message: ToAgent): ToAgent | undefined =>
  version >= 2 ? message : asFirst(message);

/** `forAgent` the other way. A HELLO says `version` itself, so that an older coordinator takes it. */
export const forCoordinator = (version: number, message: FromAgent): FromAgent | undefined => {
  if (version >= 2) return message;
  const older = asFirst(message);
  if (older === undefined) return undefined;
  if ('verb' in older && older.verb === 'HELLO') {
    return {
      ...older,
      sessions: older.sessions.map(({ card: _, ...session }) => session),
      protocol: version,
    };
  }
  if ('msg' in older && older.msg === 'SESSION_ENDED') {
    return { ...older, reason: older_reasons[older.reason] ?? older.reason };
  }
  return older;
};
