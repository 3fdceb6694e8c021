import type { Frame } from '../../shared/socket.ts';

/** How long a test waits for something that should come at once, on a busy machine. */
const patience_ms = 20_000;

/** The promise's value; rejects with what was waited for when it takes longer than `patience_ms`. */
export const soon = async <T>(what: string, promise: Promise<T>): Promise<T> => {
  const late = Promise.withResolvers<never>();
  const timeout = AbortSignal.timeout(patience_ms);
  const give = () => late.reject(new Error(`waited too long for ${what}`));
  timeout.addEventListener('abort', give);
  try {
    return await Promise.race([promise, late.promise]);
  } finally {
    timeout.removeEventListener('abort', give);
  }
};

export interface TestSocket {
  send(frame: Frame): void;
  close(code?: number, reason?: string): void;
  /** Cuts the connection without a word. */
  terminate(): void;
  /** Takes the first frame, now or later, of which `pick` makes something. */
  next<T>(what: string, pick: (frame: Frame) => T | undefined): Promise<T>;
  /** Frames that came and were not taken. */
  rest(): Frame[];
  closed(): Promise<{ code: number; reason: string }>;
}

/** Opens a WebSocket; rejects when the upgrade is refused. */
export const openSocket = async (url: string, headers: Record<string, string> = {}): Promise<TestSocket> => {
  const socket = new WebSocket(url, { headers });
  socket.binaryType = 'nodebuffer';
  const frames: Frame[] = [];
  const wakes = new Set<() => void>();
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  socket.onopen = () => opened.resolve();
  socket.onmessage = ({ data }) => {
    frames.push(typeof data === 'string' ? data : new Uint8Array(data));
    for (const wake of [...wakes]) wake();
  };
  socket.onclose = ({ code, reason }) => {
    opened.reject(new Error(`closed before it was open: ${code} ${reason}`));
    closed.resolve({ code, reason });
  };
  await soon(`the opening of ${url}`, opened.promise);
  const over = closed.promise.then(({ code, reason }) => {
    throw new Error(`it cannot come any more: closed with ${code} ${reason}`);
  });
  over.catch(() => undefined);

  const take = <T>(pick: (frame: Frame) => T | undefined): T | undefined => {
    for (const [at, frame] of frames.entries()) {
      const found = pick(frame);
      if (found === undefined) continue;
      frames.splice(at, 1);
      return found;
    }
    return undefined;
  };
  return {
    send: (frame) => void socket.send(frame),
    close: (code = 1000, reason = '') => socket.close(code, reason),
    terminate: () => socket.terminate(),
    rest: () => [...frames],
    closed: () => soon(`the close of ${url}`, closed.promise),
    next<T>(what: string, pick: (frame: Frame) => T | undefined) {
      const found = Promise.withResolvers<T>();
      const look = () => {
        const frame = take(pick);
        if (frame !== undefined) found.resolve(frame);
      };
      wakes.add(look);
      look();
      return soon(what, Promise.race([found.promise, over])).finally(() => wakes.delete(look));
    },
  };
};
