import { type Refusal, refuse } from '../../shared/errors.ts';
import type { toClient } from '../../shared/protocol/client-verbs.ts';
import type { MessageOf } from '../../shared/protocol/message.ts';
import { bounds } from '../kit/limits.ts';
import type { Account } from '../store/tables.ts';
import type { World } from './live.ts';
import { isLive } from './rules-session.ts';

/** Who opens a connection. */
export interface ClientVisitor {
  /** The address by which it reached the coordinator: an origin with the ws: or wss: scheme. */
  readonly base: URL;
  /** Whom it is counted as. */
  readonly network: string;
  /** Who was logged in then. */
  readonly account: Account | undefined;
}

/** Takes one start from the network's share; 0, or in how many ms the next one is free. */
export type TakeStart = (network: string) => Promise<number>;

/** One connection of `/ws`. */
export interface Client extends ClientVisitor {
  readonly world: World;
  readonly takeStart: TakeStart;
  /** Sessions that this client has started or joined. */
  readonly joined: Set<string>;
  /** Sessions that are being started or joined for it. */
  starting: number;
  /** Those it still waits for, with what gives the wait up. */
  readonly waits: Map<string, () => void>;
  send(message: MessageOf<typeof toClient>): void;
  /** The connection is closed: nobody waits for an answer. */
  gone(): boolean;
  /** When it last said something; monotonic ms. */
  heard: number;
}

/** How many live sessions the client has started or joined, or is about to. */
const sessionsOf = ({ world, joined, starting }: Client): number => {
  for (const id of joined) {
    const session = world.sessions.get(id);
    if (session === undefined || !isLive(session)) joined.delete(id);
  }
  return joined.size + starting;
};

/** Who takes part in a session, or waits for one, is not idle however long it says nothing. */
export const isIdle = (client: Client, now: number): boolean =>
  now - client.heard >= bounds.client_idle_ms && client.waits.size === 0 && sessionsOf(client) === 0;

/** Refuses what goes beyond the client's share of sessions. */
export const mayTakePart = (client: Client): Refusal | undefined =>
  sessionsOf(client) < bounds.sessions_per_client
    ? undefined
    : refuse('too_many_messages', `${bounds.sessions_per_client} live sessions of one connection`);
