import { systemClock } from '../../shared/clock.ts';
import { hearBreak } from '../../shared/hear-break.ts';
import { createLog } from '../../shared/log.ts';
import { version } from '../../shared/version.ts';
import { type App, startApp } from './app.ts';
import { type Flags, parseFlags, printed } from './flags.ts';

/** A hung Unreal: the process lives, its main thread never comes back, and no polite signal is heard any more. */
const hang = (): never => {
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
};

const start = (flags: Flags): void => {
  const log = createLog('demo-app');
  let app: App | undefined;
  const stop = (signal: string) => {
    log.info({ signal }, 'stopping');
    app?.stop();
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  process.once('SIGBREAK', stop);
  hearBreak();

  if (flags.crashAfterMs !== undefined) {
    systemClock.after(flags.crashAfterMs, () => {
      log.error('crashing as told');
      process.abort();
    });
  }
  if (flags.hangAfterMs !== undefined) {
    systemClock.after(flags.hangAfterMs, () => {
      log.error('hanging as told');
      hang();
    });
  }
  systemClock.after(flags.startDelayMs, () => {
    const { url } = flags;
    if (url !== undefined) {
      app = startApp({ url, flags, clock: systemClock, log, loadWrtc: () => import('@roamhq/wrtc') });
      return;
    }
    log.error('no -PixelStreamingURL= was given: running without streaming, as Unreal does');
    systemClock.every(60_000, () => log.info('still running without streaming'));
  });
};

const readFlags = (): Flags => {
  try {
    return parseFlags(process.argv.slice(2));
  } catch (error) {
    createLog('demo-app').fatal({ error }, 'wrong command line');
    process.exit(2);
  }
};

const text = printed(process.argv.slice(2), version);
if (text !== undefined) {
  process.stdout.write(`${text}\n`);
  process.exit(0);
}
const flags = readFlags();
if (flags.exitCode !== undefined) process.exit(flags.exitCode);
start(flags);
