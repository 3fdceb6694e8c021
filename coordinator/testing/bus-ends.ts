import type { Bus, Pipe, PipeEnd } from '../kit/bus.ts';

/** What is heard, each waited for. */
export const ear = () => {
  const heard: string[] = [];
  let wake = Promise.withResolvers<void>();
  return {
    heard,
    hear(text: string) {
      heard.push(text);
      wake.resolve();
      wake = Promise.withResolvers<void>();
    },
    async until(wanted: string, from = 0): Promise<void> {
      while (!heard.slice(from).includes(wanted)) await wake.promise;
    },
  };
};

/** An end that keeps what it hears: "data ...", "closed ...", "lost". */
export const pipeEnd = () => {
  const told = ear();
  const bytes: Buffer[] = [];
  const itself: PipeEnd = {
    data(data) {
      bytes.push(Buffer.from(data));
      told.hear(`data ${bytes.length}`);
    },
    closed: (code, reason) => told.hear(`closed ${code} ${reason}`),
    lost: () => told.hear('lost'),
  };
  return { end: itself, told, bytes };
};

/** A pipe from one bus to the other, with both of its ends. */
export const piped = async (from: Bus, to: Bus, opening = 'hello') => {
  const [near, far] = [pipeEnd(), pipeEnd()];
  const taken = Promise.withResolvers<{ pipe: Pipe; from: string; opening: string }>();
  const deaf = to.accept((bytes, by, pipe) => {
    taken.resolve({ pipe, from: by, opening: Buffer.from(bytes).toString() });
    return far.end;
  });
  const pipe = from.dial(to.id, Buffer.from(opening), near.end);
  const other = await taken.promise;
  deaf();
  return { near, far, pipe, other };
};

/** Resolves when it is so; looked at again and again. */
export const until = async (done: () => Promise<boolean> | boolean): Promise<void> => {
  while (!(await done())) await new Promise(setImmediate);
};
