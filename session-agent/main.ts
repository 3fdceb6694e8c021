import { understand } from '../shared/command-line.ts';
import { describeProblem } from '../shared/config.ts';
import { compiled, version } from '../shared/version.ts';
import { commandLine, type GivenTo } from './commands.ts';
import type { Running } from './operator/running.ts';
import type { Terminal } from './operator/surroundings.ts';

/** The first Ctrl-C or SIGTERM stops in good order, the second kills what is left, and waits no longer than this. */
const FORCE_EXIT_MS = 2_000;
/** How long an answer to a command that is under way may take when the program stops. */
const GOODBYE_MS = 1_000;

/** How this program is started: the words before a sub-command. */
const itself: [string, ...string[]] = compiled ? [process.execPath] : [process.execPath, import.meta.path];

const say = (text: string) => process.stdout.write(`${text}\n`);
const complain = (text: string) => process.stderr.write(`${text}\n`);

const surroundings = async (): Promise<Terminal> => ({
  version,
  platform: process.platform,
  environment: process.env,
  itself,
  clock: (await import('../shared/clock.ts')).systemClock,
  say,
  complain,
  interrupted,
  write: (text) => void process.stdout.write(text),
  size: () => ({ columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }),
  keys,
});

const interrupted = (end: () => void): (() => void) => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, end);
  return () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.off(signal, end);
  };
};

/** Keys that are typed, one by one; without a terminal only the signal that ends the program, as Ctrl-C. */
const keys = (pressed: (key: string) => void): (() => void) => {
  const { stdin } = process;
  const raw = stdin.isTTY;
  const typed = (data: Buffer) => {
    for (const key of data.toString()) pressed(key);
  };
  const end = () => pressed('\u0003');
  if (raw) {
    stdin.setRawMode(true);
    stdin.on('data', typed);
    stdin.resume();
  }
  const unheard = interrupted(end);
  return () => {
    unheard();
    if (!raw) return;
    stdin.off('data', typed);
    stdin.setRawMode(false);
    stdin.pause();
  };
};

const listen = (fetch: (request: Request) => Promise<Response>) => {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch });
  const stop = async () => {
    await Promise.race([server.stop(), Bun.sleep(GOODBYE_MS)]);
    await server.stop(true);
  };
  return { port: server.port ?? 0, stop };
};

const run = async ({ config: given }: GivenTo<'run'>): Promise<number> => {
  // Loaded here and not at the top, so that a signalling process does not pay for the agent at each session's start.
  const [{ readAgentConfig }, { configFile }, { prepare }, { systemIds }, { Failed }, { handed_over_code }] =
    await Promise.all([
      import('./config.ts'),
      import('./operator/places.ts'),
      import('./operator/running.ts'),
      import('../shared/ids.ts'),
      import('./operator/surroundings.ts'),
      import('./operator/service.ts'),
    ]);
  const around = await surroundings();
  const file = configFile(given, around);
  const read = await readAgentConfig(file);
  if ('problems' in read) {
    for (const problem of read.problems) complain(describeProblem(problem));
    return 1;
  }
  try {
    const room = Promise.withResolvers<void>();
    const options = { file, config: read.value, ids: systemIds, listen, handOver: room.resolve };
    const running = await prepare(options, around);
    const { server_name, seats, apps } = read.value;
    running.log.info({ version: around.version, server_name, seats, apps: apps.length }, 'starting');
    return await untilStopped(
      running,
      room.promise.then(() => handed_over_code),
    );
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    complain(error.message);
    return 1;
  }
};

/** Runs the agent until a signal, an update, or an error that nobody foresaw, has stopped it; the exit code. */
const untilStopped = ({ agent, log, start, close }: Running, handOver: Promise<number>): Promise<number> =>
  new Promise((resolve) => {
    let stopping = false;
    const stop = (code: number, end = () => agent.stop()) => {
      if (stopping) {
        agent.force();
        setTimeout(() => resolve(1), FORCE_EXIT_MS).unref();
        return;
      }
      stopping = true;
      end()
        .then(close)
        .then(
          () => resolve(code),
          (error: unknown) => {
            log.error({ error }, 'could not stop in good order');
            resolve(1);
          },
        );
    };
    // Sessions outlive a fault of the agent: whoever starts it again finds them and goes on.
    const leave = () => {
      stopping = true;
      agent
        .handOver()
        .then(close)
        .then(
          () => resolve(1),
          () => resolve(1),
        );
      setTimeout(() => resolve(1), FORCE_EXIT_MS).unref();
    };
    const failed = (error: unknown) => {
      log.error({ error }, 'an unforeseen error: this agent ends, its sessions wait for the next one');
      leave();
    };
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGBREAK'] as const) {
      process.on(signal, () => {
        log.info({ signal }, stopping ? 'asked again: killing what is left' : 'stopping');
        stop(0);
      });
    }
    process.on('uncaughtException', failed);
    process.on('unhandledRejection', failed);
    void handOver.then((code) => {
      log.info('making room for another release; sessions go on');
      stop(code, () => agent.handOver());
    });
    start().catch((error: unknown) => {
      log.error({ reason: error instanceof Error ? error.message : String(error) }, 'the agent cannot start');
      leave();
    });
  });

/** Whoever reads the output has seen enough: "logs | head". */
const endWithReader = () => void process.stdout.on('error', () => process.exit(0));

const doctor = async ({ config, json }: GivenTo<'doctor'>): Promise<number> => {
  endWithReader();
  const [{ runDoctor }, { configFile }, { systemIds }, around] = await Promise.all([
    import('./doctor/command.ts'),
    import('./operator/places.ts'),
    import('../shared/ids.ts'),
    surroundings(),
  ]);
  const { environment, platform, clock } = around;
  const config_file = configFile(config, around);
  return runDoctor({ environment, platform, clock, ids: systemIds, config_file }, json, say);
};

const main = async (args: string[]): Promise<number> => {
  const asked = understand(commandLine, args);
  if ('code' in asked) {
    (asked.code === 0 ? say : complain)(asked.text);
    return asked.code;
  }
  switch (asked.name) {
    case 'run':
      return run(asked.given);
    case 'doctor':
      return doctor(asked.given);
    case 'signalling':
      return (await import('../signalling/main.ts')).runSignalling([...asked.given.rest], process.env);
    default: {
      endWithReader();
      const { operate } = await import('./operator/commands.ts');
      return operate(asked, await surroundings());
    }
  }
};

process.exit(await main(process.argv.slice(2)));
