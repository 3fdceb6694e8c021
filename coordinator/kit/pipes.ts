import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/log.ts';
import type { Bus, Pipe, PipeEnd, TakePipe } from './bus.ts';
import { bounds } from './limits.ts';
import { decodeMail, type PipeFrame, resetFrame } from './mail.ts';
import { createOutgoing, type Outgoing } from './outgoing.ts';

/** The pipes of this process with others, over mails that may be lost but do not change places. */
export interface Pipes extends Pick<Bus, 'dial' | 'accept'> {
  arrived(mail: Buffer): void;
  /** Once in `bounds.pipe_beat_ms`: sees who is silent. Mails that cannot be lost need none. */
  tick(): void;
  /** No mail can be relied on any more, of that process or of all: their pipes are lost. */
  lost(process?: string): void;
  stop(): void;
}

export interface PipesNeeds {
  /** This process. */
  readonly id: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Sends a mail; resolves with how many processes get it. Rejects when it may be lost. */
  post(process: string, mail: Buffer): Promise<number>;
}

/** A pipe that is open here. */
interface Held {
  end: PipeEnd | undefined;
  /** Bytes that wait to be sent. */
  waiting: number;
}

interface Neighbour {
  readonly outgoing: Outgoing;
  readonly pipes: Map<string, Held>;
  /** The number of its next mail. */
  expected: number;
  heard_at: number;
}

/** Both ends may be of one process: a pipe is known by its number and by who dialled. */
const keyOf = (dialled_here: boolean, pipe: number) => `${dialled_here ? 'to' : 'from'} ${pipe}`;

const no_bytes = new Uint8Array();

/** Says that there is no such pipe here. */
const lostFrame = (key: string): PipeFrame => {
  const [way, pipe] = key.split(' ');
  return { kind: 'lost', dialler: way === 'to', pipe: Number(pipe), bytes: no_bytes };
};

const closing = (code: number, reason: string): Uint8Array => {
  const bytes = Buffer.alloc(2 + Buffer.byteLength(reason));
  bytes.writeUInt16BE(code);
  bytes.write(reason, 2);
  return bytes;
};

export const createPipes = ({ id, clock, log, post }: PipesNeeds): Pipes => {
  const neighbours = new Map<string, Neighbour>();
  let taker: TakePipe | undefined;
  let dialled = 0;

  const guarded = <T>(call: () => T): T | undefined => {
    try {
      return call();
    } catch (error) {
      log.error({ error }, 'the end of a pipe failed');
      return undefined;
    }
  };
  /** Gives up all that the two have with each other, and says so; whether there was something. */
  const lose = (process: string): boolean => {
    const neighbour = neighbours.get(process);
    if (neighbour === undefined) return false;
    const { outgoing, pipes } = neighbour;
    outgoing.clear();
    const held = [...pipes];
    pipes.clear();
    for (const [key] of held) outgoing.push(lostFrame(key));
    for (const [, { end }] of held) guarded(() => end?.lost());
    return held.length > 0;
  };
  const neighbourOf = (process: string): Neighbour => {
    const known = neighbours.get(process);
    if (known !== undefined) return known;
    const outgoing = createOutgoing({
      from: id,
      async post(mail) {
        if ((await post(process, mail)) > 0) return;
        // It is gone: another start has another name.
        lose(process);
        neighbours.delete(process);
      },
      failed: () => lose(process),
    });
    const made = { outgoing, pipes: new Map(), expected: 0, heard_at: clock.monotonic() };
    neighbours.set(process, made);
    return made;
  };
  const isFull = () =>
    [...neighbours.values()].reduce((sum, { pipes }) => sum + pipes.size, 0) >= bounds.pipes;

  /** The end that is handed to whoever uses it: does nothing once the pipe is no longer held. */
  const pipeOf = (neighbour: Neighbour, held: Held, dialler: boolean, pipe: number): Pipe => {
    const key = keyOf(dialler, pipe);
    const { outgoing, pipes } = neighbour;
    const isHeld = () => pipes.get(key) === held;
    return {
      send(bytes) {
        if (!isHeld()) return;
        held.waiting += bytes.length;
        if (held.waiting <= bounds.pipe_bytes) {
          outgoing.push({ kind: 'data', dialler, pipe, bytes }, () => {
            held.waiting -= bytes.length;
          });
          return;
        }
        pipes.delete(key);
        outgoing.push(lostFrame(key));
        guarded(() => held.end?.lost());
      },
      close(code, reason) {
        if (!isHeld()) return;
        pipes.delete(key);
        outgoing.push({ kind: 'close', dialler, pipe, bytes: closing(code, reason) });
      },
    };
  };

  const open = (from: string, neighbour: Neighbour, { pipe, bytes }: PipeFrame) => {
    const held: Held = { end: undefined, waiting: 0 };
    const key = keyOf(false, pipe);
    if (!isFull()) neighbour.pipes.set(key, held);
    const own = pipeOf(neighbour, held, false, pipe);
    held.end = neighbour.pipes.has(key) ? guarded(() => taker?.(bytes, from, own)) : undefined;
    if (held.end !== undefined) return;
    neighbour.pipes.delete(key);
    neighbour.outgoing.push(lostFrame(key));
  };
  const take = (from: string, frame: PipeFrame) => {
    const neighbour = neighbourOf(from);
    const { kind, pipe, bytes } = frame;
    // The sender's word for who dialled is the other way round here.
    const dialler = !frame.dialler;
    const key = keyOf(dialler, pipe);
    const held = neighbour.pipes.get(key);
    if (kind === 'open') return open(from, neighbour, frame);
    if (kind === 'reset') return void lose(from);
    if (held === undefined) {
      if (kind === 'data') neighbour.outgoing.push(lostFrame(key));
      return;
    }
    if (kind === 'data') return void guarded(() => held.end?.data(bytes));
    neighbour.pipes.delete(key);
    if (kind === 'lost' || bytes.length < 2) return void guarded(() => held.end?.lost());
    const said = Buffer.from(bytes);
    guarded(() => held.end?.closed(said.readUInt16BE(), said.toString('utf8', 2)));
  };

  const tick = () => {
    for (const [process, { pipes, outgoing, heard_at }] of [...neighbours]) {
      const silent_ms = clock.monotonic() - heard_at;
      if (pipes.size > 0 && silent_ms > bounds.pipe_silent_ms) lose(process);
      else if (pipes.size > 0) outgoing.beat();
      else if (silent_ms > bounds.neighbour_ms) neighbours.delete(process);
    }
  };
  const lost = (process?: string) => {
    for (const one of process === undefined ? [...neighbours.keys()] : [process]) lose(one);
  };

  return {
    lost,
    tick,
    dial(process, opening, end) {
      const held: Held = { end, waiting: 0 };
      const neighbour = neighbourOf(process);
      const pipe = dialled++ >>> 0;
      if (isFull()) queueMicrotask(() => guarded(() => end.lost()));
      else {
        // Who was not talked with has not been silent.
        if (neighbour.pipes.size === 0) neighbour.heard_at = clock.monotonic();
        neighbour.pipes.set(keyOf(true, pipe), held);
        neighbour.outgoing.push({ kind: 'open', dialler: true, pipe, bytes: opening });
      }
      return pipeOf(neighbour, held, true, pipe);
    },
    accept(take) {
      taker = take;
      return () => {
        if (taker === take) taker = undefined;
      };
    },
    arrived(bytes) {
      const mail = decodeMail(bytes);
      if (mail === undefined) return log.warn('a mail on the bus cannot be read');
      const { from, number } = mail;
      const neighbour = neighbourOf(from);
      if (neighbour.expected !== number && lose(from)) neighbour.outgoing.push(resetFrame);
      neighbour.expected = (number + 1) >>> 0;
      neighbour.heard_at = clock.monotonic();
      for (const frame of mail.frames) take(from, frame);
    },
    stop() {
      taker = undefined;
      lost();
    },
  };
};
