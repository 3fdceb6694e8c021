import type { ConnectionId, Effect } from '../domain/effect.ts';
import type { Registry } from '../domain/registry.ts';

/** What every handler works with: whose message it is, the state, and the hand that carries out decisions. */
export interface Context {
  connection: ConnectionId;
  registry: Registry;
  apply(effects: Effect[]): void;
}

/** A keep-alive is answered with its own time. */
export const answerPing = (
  { time = 0 }: { time?: number | undefined },
  { connection, apply }: Context,
): void => apply([{ to: connection, message: { type: 'pong', time } }]);

/** For messages that need no action but must not count as unknown. */
export const ignore = (): void => undefined;
