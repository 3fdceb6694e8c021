import { systemClock } from '../../shared/clock.ts';
import { problemSchema, type Ticket, ticketSchema } from '../../shared/protocol/http.ts';
import type { Answer } from '../site/kit/api.ts';
import { Carrier } from '../site/room/carrier.ts';

/** A page's signalling as it is, over a connection that is cut; what it says and hears is numbered. */
export interface CutPage {
  /** Numbers the channels that it has had, from 0: each further one is a connection anew. */
  lives(): number;
  /** Messages that came on the present channel. */
  received(): number;
  /** The channels that ended, and with which code. */
  readonly ended: Record<string, number>;
  /** Says how many it has said, and resolves with the tag when the host has said the same. */
  finish(): Promise<void>;
  readonly faults: string[];
  readonly said: () => number;
}

export interface CutPageOptions {
  name: string;
  /** Where the page finds the coordinator. */
  base: string;
  session_id: string;
  token: string;
  per_second: number;
}

const ticketOf = async (
  { base, session_id, token }: CutPageOptions,
  signal: AbortSignal,
): Promise<Answer<Ticket>> => {
  try {
    const response = await fetch(`${base}/api/v1/sessions/${session_id}/tickets`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      keepalive: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    });
    const body = await response.json();
    if (response.ok) return ticketSchema.parse(body);
    return { failed: problemSchema.parse(body).code };
  } catch {
    return { failed: 'unreachable' };
  }
};

/** How long a page waits before it connects anew. */
const again_ms = 500;

export const startCutPage = (options: CutPageOptions): CutPage => {
  const faults: string[] = [];
  const ended: Record<string, number> = {};
  const over = new AbortController();
  const finished = Promise.withResolvers<void>();
  let life = -1;
  let all = 0;
  let said = 0;
  let received = 0;
  let current: Carrier | undefined;
  let stop = () => {};

  const hear = (tag: string, text: string) => {
    const [of, word, count] = text.split(' ');
    if (of !== tag) faults.push(`${tag} heard what was for ${of}`);
    if (word === 'fin') {
      if (Number(count) !== received) faults.push(`${tag} heard ${received}, the host said ${count}`);
      finished.resolve();
      return;
    }
    received += 1;
    if (Number(word) === received) return;
    faults.push(`${tag} heard ${word} instead of ${received}`);
    received = Number(word);
  };
  const speak = () => {
    said += 1;
    all += 1;
    current?.send(`${options.name}.${life} ${said}`);
  };
  const begin = async () => {
    const ticket = await ticketOf(options, over.signal);
    if ('failed' in ticket) {
      systemClock.after(again_ms, () => void begin());
      return;
    }
    life += 1;
    said = 0;
    received = 0;
    const tag = `${options.name}.${life}`;
    current = new Carrier(
      { ticket: (signal) => ticketOf(options, signal), clock: systemClock, random: Math.random },
      {
        open: () => {},
        text: (text) => hear(tag, text),
        over(code) {
          stop();
          ended[tag] = code;
          systemClock.after(again_ms, () => void begin());
        },
        away: () => {},
      },
    );
    stop = systemClock.every(1_000 / options.per_second, speak);
    current.connect(ticket.signalling_url);
    speak();
  };
  void begin();

  return {
    lives: () => life,
    received: () => received,
    ended,
    faults,
    said: () => all,
    async finish() {
      stop();
      current?.send(`${options.name}.${life} fin ${said}`);
      await finished.promise;
      over.abort();
      current?.leave(1000, 'done');
    },
  };
};
