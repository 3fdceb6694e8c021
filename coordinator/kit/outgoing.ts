import { bounds } from './limits.ts';
import { encodeMail, frame_head, type PipeFrame } from './mail.ts';

/** Frames that wait for the way to one process. */
export interface Outgoing {
  /** `sent` is called once the frame is on its way. */
  push(frame: PipeFrame, sent?: () => void): void;
  /** Sends a mail even if there is nothing to say, so that the other side misses none. */
  beat(): void;
  isIdle(): boolean;
  /** Forgets what waits; the mails go on being counted, so that the other side sees what it missed. */
  clear(): void;
}

export interface OutgoingNeeds {
  /** Who sends. */
  readonly from: string;
  /** Sends a mail. Rejects when it may be lost. */
  post(mail: Buffer): Promise<void>;
  /** A mail may be lost: so is everything after it. */
  failed(): void;
}

/** One mail at a time is under way; the next one carries all that waits by then, as far as `bounds.mail_bytes`. */
export const createOutgoing = ({ from, post, failed }: OutgoingNeeds): Outgoing => {
  let waiting: { frame: PipeFrame; sent: () => void }[] = [];
  let number = 0;
  let due = false;
  let running = false;

  const takeMail = () => {
    let bytes = 0;
    let count = 0;
    for (const { frame } of waiting) {
      bytes += frame_head + frame.bytes.length;
      if (count > 0 && bytes > bounds.mail_bytes) break;
      count++;
    }
    const taken = waiting.slice(0, count);
    waiting = waiting.slice(count);
    return taken;
  };
  const run = async () => {
    try {
      // What is said in one turn goes together.
      await undefined;
      while (due) {
        const taken = takeMail();
        due = waiting.length > 0;
        const mail = encodeMail({ from, number, frames: taken.map(({ frame }) => frame) });
        number = (number + 1) >>> 0;
        await post(mail);
        for (const { sent } of taken) sent();
      }
      running = false;
    } catch {
      running = false;
      failed();
    }
  };
  const start = () => {
    due = true;
    if (running) return;
    running = true;
    void run();
  };
  return {
    push(frame, sent = () => {}) {
      waiting.push({ frame, sent });
      start();
    },
    beat: start,
    isIdle: () => !running,
    clear() {
      waiting = [];
      due = false;
    },
  };
};
