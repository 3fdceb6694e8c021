import type { fromAgent } from '../shared/protocol/agent-link.ts';
import type { MessageOf } from '../shared/protocol/message.ts';
import type { Effect, Ending } from './domain/instance.ts';
import type { CreateSession } from './launch.ts';
import type { Program } from './processes/program.ts';

const TAIL_LINES = 12;
const DETAIL_CHARACTERS = 1_000;

export type Report = Extract<Effect, { type: 'report' }>['what'];

/** The fact and the program's last words, within what SESSION_ENDED takes. */
export const wordsOf = (fact: string, program: Pick<Program, 'tail'> | undefined): string => {
  const lines = program?.tail(TAIL_LINES) ?? [];
  if (lines.length === 0) return fact;
  const head = `${fact}; last output: `;
  return head + lines.join('\n').slice(-(DETAIL_CHARACTERS - head.length));
};

/** Why something could not be done, for SESSION_ENDED. */
export const wordsFor = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, DETAIL_CHARACTERS);

/** What the coordinator is told of a session whose instance has come that far. */
export const messageOf = (
  { session_id, generation, code }: CreateSession,
  what: Report,
  port: string,
  ending: Ending,
): MessageOf<typeof fromAgent> => {
  const ref = { session_id, generation };
  switch (what) {
    case 'ended':
      return { msg: 'SESSION_ENDED', ...ref, ...ending };
    case 'ready':
      return { verb: 'CONNECT_TO_SESSION', ...ref, ip: '127.0.0.1', port, code };
    case 'restarting':
      return { msg: 'SESSION_RESTARTING', ...ref };
    default:
      return { msg: 'SESSION_STARTING', ...ref, phase: what };
  }
};

type SessionEnded = MessageOf<Pick<typeof fromAgent, 'SESSION_ENDED'>>;

/** More ends than that while the link is down are reported as HELLO does it: the session is not there. */
const UNREPORTED_MAX = 500;

/** Ends that the coordinator has not heard of yet, because the link was down: it is told the reason when it is back. */
export class UnreportedEnds {
  readonly #ends = new Map<string, SessionEnded>();

  /** Keeps the message if it is an end; others are overtaken by what HELLO says. */
  keep(message: MessageOf<typeof fromAgent>): void {
    if (!('msg' in message) || message.msg !== 'SESSION_ENDED' || this.#ends.size >= UNREPORTED_MAX) return;
    this.#ends.set(message.session_id, message);
  }

  /** For HELLO: these sessions are still to be ended. */
  sessions(): { session_id: string; generation: number; state: 'restarting' }[] {
    return [...this.#ends.values()].map(({ session_id, generation }) => ({
      session_id,
      generation,
      state: 'restarting',
    }));
  }

  /** Hands over all that `send` takes. */
  tell(send: (message: SessionEnded) => boolean): void {
    for (const [session_id, message] of this.#ends) if (send(message)) this.#ends.delete(session_id);
  }
}
