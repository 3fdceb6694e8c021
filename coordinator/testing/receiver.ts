import { isGenuine } from '../../shared/testing/webhook-verifier.ts';
import { shownSecret } from '../webhooks/rules.ts';

/** What a webhook's address was sent. */
export interface Received {
  readonly id: string;
  readonly body: string;
  readonly webhook: string;
  /** Whether it is signed with the secret of `webhookRow(number)`, now. */
  readonly genuine: boolean;
}

export interface Receiver extends AsyncDisposable {
  /** The address of a webhook; its secret is the one of `webhookRow(number)`. */
  url(number: number): string;
  readonly received: Received[];
  /** Requests that are being answered now, and the most there were at one time: over all, and to one webhook. */
  readonly most: { all: number; one: number };
  /** The time of who sends: the system's until a test gives its own. */
  now: () => number;
}

/** A server that takes events; `answer` says how, and may take its time. */
export const startReceiver = (
  answer: (received: Received, request: Request) => Response | Promise<Response> = () => new Response(),
): Receiver => {
  const received: Received[] = [];
  const most = { all: 0, one: 0 };
  const open = new Map<string, number>();
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const webhook = new URL(request.url).pathname.slice(1);
      const body = await request.text();
      const one: Received = {
        id: request.headers.get('webhook-id') ?? '',
        body,
        webhook,
        genuine: isGenuine(request.headers, body, shownSecret(`secret-of-${webhook}`), receiver.now()),
      };
      received.push(one);
      open.set(webhook, (open.get(webhook) ?? 0) + 1);
      most.one = Math.max(most.one, open.get(webhook) ?? 0);
      most.all = Math.max(
        most.all,
        [...open.values()].reduce((sum, count) => sum + count, 0),
      );
      try {
        return await answer(one, request);
      } finally {
        open.set(webhook, (open.get(webhook) ?? 0) - 1);
      }
    },
  });
  const receiver: Receiver = {
    url: (number) => `http://127.0.0.1:${server.port}/webhook-${number}`,
    received,
    most,
    now: Date.now,
    [Symbol.asyncDispose]: () => server.stop(true),
  };
  return receiver;
};
