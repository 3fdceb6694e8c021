import type { Cancel } from '../../shared/clock.ts';
import type { Rate } from './taker.ts';

/** Called after each telling of a topic, and with `missed` when something may have been told meanwhile: either way, read the rows. */
export type Heard = (missed: boolean) => void;

/**
 * How coordinators reach each other. It never carries the only copy of a fact: whatever it loses can be read from the rows, and
 * whoever listens is told when to. Nothing here throws into the caller or waits for the other side; everything is bounded.
 */
export interface Bus {
  /** This process on the bus; another one after each start. */
  readonly id: string;
  /** Says that what `topic` names has changed ("session ID", "catalogue"): here at once, elsewhere in a moment. */
  tell(topic: string): void;
  listen(topic: string, heard: Heard): Cancel;
  /** Says for so long that `member` of `group` is there, and what else is to be known of it. Gone by itself afterwards. */
  present(group: string, member: string, ttl_ms: number, said: string): void;
  absent(group: string, member: string): void;
  /** Who of the group is there, with what was said; while the bus is away, only who is there through this process. */
  members(group: string): Promise<ReadonlyMap<string, string>>;
  /** Takes one of a share that all processes have together: 0, or in how many ms one is free; undefined while nobody counts for all. */
  take(share: string, rate: Rate): Promise<number | undefined>;
  /** Opens a pipe to a process. That it cannot be reached is told by the end's `lost`. */
  dial(process: string, opening: Uint8Array, end: PipeEnd): Pipe;
  /** Decides about pipes that others open to this process; without it they are lost at once. The function returned ends that. */
  accept(take: TakePipe): Cancel;
  /** How it is; undefined when it cannot be away. */
  health(): { readonly ok: boolean; readonly note?: string } | undefined;
  /** Tells nobody anything any more. Idempotent. */
  stop(): Promise<void>;
}

/** The own end of a connection between two processes: bytes arrive in order and once, or the pipe is lost. */
export interface Pipe {
  /** More than `bounds.pipe_bytes` that wait lose the pipe. */
  send(bytes: Uint8Array): void;
  close(code: number, reason: string): void;
}

/** Who hears what comes out of a pipe. After `closed` and `lost` nothing more comes. */
export interface PipeEnd {
  data(bytes: Uint8Array): void;
  /** The other end has closed it. */
  closed(code: number, reason: string): void;
  /** Something may have been missed. Another one can be dialled. */
  lost(): void;
}

/** Undefined refuses the pipe: the other end hears that it is lost. */
export type TakePipe = (opening: Uint8Array, from: string, pipe: Pipe) => PipeEnd | undefined;
