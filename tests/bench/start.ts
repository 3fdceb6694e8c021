import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { z } from 'zod';
import { instantSchema } from '../../shared/protocol/instant.ts';
import { openPage, startBrowser } from '../e2e/browser.ts';
import { executable, startTestSystem, type TestSystem, until } from '../e2e/harness.ts';

/**
 * `bun run bench:start [starts]`: how long each phase of a start takes, from the visitor's click to the first decoded
 * frame, over 20 starts each with the browser already open and with a browser started for it. Prints JSON, milliseconds.
 * `platform_until_registered` is everything up to "streamer registered" less the app's own boot (process up to
 * registered, by the app's own log). `bare_start`, the start of the same executable doing nothing, is the yardstick.
 */
const STARTS = Number(process.argv[2] ?? 20);

type Phases = Record<string, number>;

/** The time of the app's last `registered` line in the host's log folder, epoch ms. */
const registeredAt = (folder: string, since: number): number => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile() && statSync(file).mtimeMs >= since);
  const times = files.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line.includes('"registered"'))
      .map((line) => new Date(JSON.parse(line).time).getTime()),
  );
  return Math.max(...times);
};

/** Epoch ms of the page's performance marks, waited for up to the first frame. */
const pageMarks = async (page: Page): Promise<Phases> => {
  await page.waitForFunction(
    () => performance.getEntriesByName('vitrina:first-frame').length > 0,
    undefined,
    {
      polling: 20,
      timeout: 120_000,
    },
  );
  return page.evaluate(() =>
    Object.fromEntries(
      performance
        .getEntriesByType('mark')
        .map(({ name, startTime }) => [name.replace('vitrina:', ''), performance.timeOrigin + startTime]),
    ),
  );
};

/** Of a session that has become ready. */
const phasesSchema = z.object({
  accepted: instantSchema,
  assigned: instantSchema,
  app_started: instantSchema,
  ready: instantSchema,
});

const session = async (system: TestSystem, page: Page) => {
  const id = new URL(page.url()).pathname.replace('/s/', '');
  const token = await page.evaluate(() => {
    const values = Object.keys(sessionStorage).map((key) => sessionStorage.getItem(key) ?? '');
    return values.map((value) => /"participant_token":"([^"]+)"/.exec(value)?.[1]).find(Boolean) ?? '';
  });
  const { body } = await system.api('GET', `/api/v1/sessions/${id}`, undefined, token);
  return { id, token, phases: phasesSchema.parse(body.phases) };
};

const oneStart = async (system: TestSystem, browser: Browser): Promise<Phases> => {
  const page = await openPage(browser, system.url);
  const button = page.getByRole('button', { name: 'Start' }).first();
  await button.waitFor();
  const clicked = Date.now();
  await button.click();
  await page.waitForURL(/\/s\//);
  const marks = await pageMarks(page);
  const { id, token, phases } = await session(system, page);
  const registered = registeredAt(join(system.folder, 'host-1', 'logs'), clicked);
  await system.api('DELETE', `/api/v1/sessions/${id}`, undefined, token);
  await page.context().close();
  await until(
    'the seat is free',
    async () => (await system.api('GET', '/api/v1/apps')).body.apps[0].seats_free,
    (n) => n === 1,
  );
  const mark = (name: string) => (marks[name] ?? Number.NaN) - phases.ready;
  return {
    accepted: phases.accepted - clicked,
    assigned: phases.assigned - phases.accepted,
    app_process_up: phases.app_started - phases.assigned,
    app_boot: registered - phases.app_started,
    streamer_registered: phases.ready - registered,
    platform_until_registered: phases.app_started - phases.accepted + (phases.ready - registered),
    player_signalling_open: mark('signalling-open'),
    ice_connected: mark('ice-connected'),
    first_frame: mark('first-frame'),
    click_to_first_frame: (marks['first-frame'] ?? Number.NaN) - clicked,
  };
};

const percentile = (values: number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return (
    Math.round(
      (sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN) * 10,
    ) / 10
  );
};

const summary = (runs: Phases[]): Record<string, { p50: number; p95: number }> =>
  Object.fromEntries(
    Object.keys(runs[0] ?? {}).map((name) => {
      const values = runs.map((run) => run[name] ?? Number.NaN);
      return [name, { p50: percentile(values, 0.5), p95: percentile(values, 0.95) }];
    }),
  );

/** What it costs here at all to start the executable that a session starts, and to see it end. */
const bareStart = async (): Promise<number> => {
  const started = performance.now();
  await Bun.spawn([executable('session-agent-linux-x64'), 'signalling', '--help'], { stdout: 'ignore' })
    .exited;
  return performance.now() - started;
};

/** Starts one after another, each between two yardsticks: the slower of them says how quiet the machine was then. */
const repeat = async (times: number, run: () => Promise<Phases>): Promise<Phases[]> => {
  const runs: Phases[] = [];
  for (let n = 0; n < times; n++) {
    const before = await bareStart();
    const phases = await run();
    runs.push({ ...phases, bare_start: Math.max(before, await bareStart()) });
  }
  return runs;
};

/** A busy machine delays everything: the starts whose yardstick stayed within twice the best one stand apart. */
const report = (runs: Phases[]) => {
  const best = Math.min(...runs.map(({ bare_start = 0 }) => bare_start));
  const quiet = runs.filter(({ bare_start = 0 }) => bare_start <= 2 * best);
  return { all: summary(runs), quiet: { starts: quiet.length, ...summary(quiet) } };
};

// The picture that people get, unlike that of the end-to-end tests.
const system = await startTestSystem([{ resolution: { width: 1280, height: 720 } }]);
const warm = await startBrowser();
try {
  const open = await repeat(STARTS, () => oneStart(system, warm));
  const cold = await repeat(STARTS, async () => {
    const browser = await startBrowser();
    return oneStart(system, browser).finally(() => browser.close());
  });
  const result = {
    starts: STARTS,
    browser_open: report(open),
    browser_cold: report(cold),
    targets_p95: { platform_until_registered: 300, first_frame: 1000 },
  };
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
} finally {
  await warm.close();
  await system.stop();
}
