import type { Clock } from '../shared/clock.ts';
import type { Log } from '../shared/log.ts';
import type { AppConfig } from './config.ts';
import type { Ending } from './domain/instance.ts';
import { warmBackoff } from './domain/pool.ts';

interface Failure {
  failures: number;
  detail: string;
  /** Monotonic. */
  next: number;
}

/** Which apps' warm starts have failed of late, and until when none of theirs is tried. */
export class WarmStarts {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #failed = new Map<string, Failure>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Another command line may well start: nothing is held against an app that was changed. */
  reconfigured(before: readonly AppConfig[], after: readonly AppConfig[]): void {
    const said = (apps: readonly AppConfig[], name: string) =>
      JSON.stringify(apps.find(({ rc_name }) => rc_name === name));
    for (const { rc_name } of after) {
      if (said(before, rc_name) !== said(after, rc_name)) this.forget(rc_name);
    }
  }

  /** The last start succeeded: nothing is held against the app. */
  forget(rc_name: string): void {
    this.#failed.delete(rc_name);
  }

  /** A warm instance ends. One that the pool stopped itself is no failure. */
  ended(rc_name: string, { reason, detail = '' }: Ending = { reason: 'host_forgot' }): void {
    if (reason === 'host_stopped') return;
    const failures = (this.#failed.get(rc_name)?.failures ?? 0) + 1;
    const wait_ms = warmBackoff(failures);
    this.#failed.set(rc_name, {
      failures,
      detail: `${reason}: ${detail}`,
      next: this.#clock.monotonic() + wait_ms,
    });
    this.#log.warn({ app: rc_name, failures, wait_ms, reason, detail }, 'a warm instance failed');
  }

  waiting(rc_name: string): boolean {
    const failed = this.#failed.get(rc_name);
    return failed !== undefined && failed.next > this.#clock.monotonic();
  }

  /** For status: how often in a row, why, and when the next is tried (epoch ms). */
  failure(rc_name: string): { failures: number; last_error: string; next_try_at: number } | undefined {
    const failed = this.#failed.get(rc_name);
    if (failed === undefined) return undefined;
    const next_try_at = this.#clock.now() + Math.max(0, failed.next - this.#clock.monotonic());
    return { failures: failed.failures, last_error: failed.detail, next_try_at };
  }
}
