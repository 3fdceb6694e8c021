import type { Context } from 'hono';
import type { SocketData } from '../../shared/socket.ts';
import type { Account } from '../store/tables.ts';

/** What the program that listens gives with each request. */
export interface Bindings {
  /** The address at the other end of the connection: the caller's, or the last proxy's. */
  readonly socket: string;
  /** Whom the caller is counted as: see `networkOf`. */
  readonly network: string;
  /** Turns the request into a WebSocket; false when it cannot be one. */
  upgrade(data: SocketData): boolean;
}

export interface Env {
  Bindings: Bindings;
  Variables: {
    /** Whose access token came with the request. */
    caller: Account | undefined;
  };
}

export type Ctx = Context<Env>;
