import type { Context } from 'hono';
import type { SocketData } from '../../shared/socket.ts';

/** What the program that listens gives with each request. */
export interface Bindings {
  /** Whom the caller is counted as: see `networkOf`. */
  readonly network: string;
  /** Turns the request into a WebSocket; false when it cannot be one. */
  upgrade(data: SocketData): boolean;
}

export interface Env {
  Bindings: Bindings;
}

export type Ctx = Context<Env>;
