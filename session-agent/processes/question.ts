import type { Cancel, Clock } from '../../shared/clock.ts';

const ANSWER_BYTES = 64 * 1024;

/** What a program said on both of its outputs, and whether it ended well; or why it said nothing. */
export type Answer = { readonly ok: boolean; readonly text: string } | { readonly problem: string };

/** A program that is started to say something and to end. */
export interface Question {
  /** Comes within the time given, whatever the program does. */
  readonly answer: Promise<Answer>;
  /** The program is gone: a driver can keep it long after it was killed. */
  readonly gone: Promise<void>;
  kill(): void;
}

const readSome = async (stream: ReadableStream<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, ANSWER_BYTES);
};

/** Starts the program, kills it after `patience_ms`. Throws what the operating system says when the file cannot be run. */
export const ask = (
  command: [string, ...string[]],
  environment: Record<string, string>,
  patience_ms: number,
  clock: Clock,
): Question => {
  const child = Bun.spawn(command, {
    env: environment,
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    windowsHide: true,
  });
  const kill = () => child.kill('SIGKILL');
  let cancel: Cancel = () => {};
  const late = new Promise<Answer>((resolve) => {
    cancel = clock.after(patience_ms, () => {
      kill();
      resolve({ problem: `no answer within ${patience_ms} ms` });
    });
  });
  const said = Promise.all([readSome(child.stdout), readSome(child.stderr), child.exited]).then(
    ([out, errors, code]): Answer => ({ ok: code === 0, text: `${out}${errors}`.slice(0, ANSWER_BYTES) }),
    (error: unknown): Answer => ({ problem: String(error) }),
  );
  return {
    answer: Promise.race([said, late]).finally(() => cancel()),
    gone: child.exited.then(() => undefined),
    kill,
  };
};
