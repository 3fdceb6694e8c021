import { systemClock } from '../../shared/clock.ts';
import { participationSchema } from '../../shared/protocol/http.ts';
import { bounds } from '../kit/limits.ts';
import { percentiles } from './percentiles.ts';

/** Right codes that are compared with as many wrong ones. */
const probes = 60;
/** A request as the proxy passes it on from `address`. */
export const post = (port: number, path: string, address: string, body: object): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}/api/v1/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': `192.0.2.1, ${address}` },
    body: JSON.stringify(body),
  });

/** What of an answer is drawn anew each time, or is the clock's, is left out; all else must be the same. */
const drawn = new Set(['id', 'participant_id', 'participant_token', 'code', 'now', 'ends_at', 'accepted']);
const plainly = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(() => 'one');
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([key, field]) => [
    key,
    drawn.has(key) ? `${typeof field} of ${String(field).length}` : plainly(field),
  ]);
  return Object.fromEntries(fields);
};

/** An answer as a caller can compare it: status, headers, body. */
const seen = async (response: Response) => {
  const body: unknown = await response.json().catch(() => null);
  const headers = [...response.headers].filter(([name]) => name !== 'date').sort();
  return { body, text: JSON.stringify([response.status, headers, plainly(body)]) };
};

/** What a caller tries while it waits, the last of it after it has left. */
const calls = [
  ['GET', ''],
  ['POST', '/tickets'],
  ['POST', '/activity'],
  ['POST', '/extension'],
  ['DELETE', ''],
  ['GET', '?after=0'],
  ['POST', '/leave'],
  ['GET', ''],
] as const;

/** Knocks with a code; how long that took, and how to try the rest and tell all that came of it. */
const knockAt = async (port: number, code: string, app: string, address: string) => {
  const from = systemClock.monotonic();
  const answered = await post(port, 'join', address, { code, app });
  const took_ms = systemClock.monotonic() - from;
  const first = await seen(answered);
  const waits = participationSchema.safeParse(first.body).data;
  const rest = async (): Promise<string[]> => {
    const texts = [first.text];
    for (const [method, path] of waits === undefined ? [] : calls) {
      const token = waits?.participant_token ?? '';
      const asked = await fetch(`http://127.0.0.1:${port}/api/v1/sessions/${waits?.session.id}${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}`, 'X-Forwarded-For': `192.0.2.1, ${address}` },
      });
      texts.push((await seen(asked)).text);
    }
    return texts;
  };
  return { took_ms, rest };
};

interface Probed {
  readonly port: number;
  readonly app: string;
  /** Those of its live sessions. */
  readonly codes: readonly string[];
}

/** Right codes and wrong ones in turn, each from an address of its own; what differed, and how long both took. */
export const compareCodes = async (doors: readonly Probed[]) => {
  const live = new Set(doors.flatMap(({ codes }) => codes));
  const all = Array.from({ length: 10_000 }, (_, at) => String(at).padStart(4, '0'));
  const wrongs = all.filter((code) => !live.has(code));
  const took_ms: { right: number[]; wrong: number[] } = { right: [], wrong: [] };
  const pairs: (() => Promise<string[]>)[][] = [];
  for (let n = 0; n < probes; n++) {
    const { port, app, codes } = doors[n % doors.length] ?? { port: 0, app: '', codes: [] };
    const both = [codes[n % codes.length] ?? '', wrongs[(n * 131) % wrongs.length] ?? ''];
    const rests = [];
    for (const [place, code] of (n % 4 < 2 ? both : both.toReversed()).entries()) {
      const knocked = await knockAt(port, code, app, `198.19.${n}.${place + 1}`);
      took_ms[live.has(code) ? 'right' : 'wrong'].push(knocked.took_ms);
      rests.push(knocked.rest);
    }
    pairs.push(rests);
  }
  // A tick has passed by then: the owners of right ones know.
  await new Promise<void>((resolve) => systemClock.after(2 * bounds.tick_ms, resolve));
  const differences = new Set<string>();
  for (const pair of pairs) {
    const [one = [], two = []] = await Promise.all(pair.map((rest) => rest()));
    for (const [step, text] of one.entries()) {
      if (text !== two[step]) differences.add(`${step}: ${text} / ${two[step]}`);
    }
  }
  return {
    pairs: pairs.length,
    differences: [...differences],
    right: percentiles(took_ms.right),
    wrong: percentiles(took_ms.wrong),
  };
};
