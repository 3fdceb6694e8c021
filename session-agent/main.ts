import { describeProblem } from '../shared/config.ts';
import { createLog, type Log } from '../shared/log.ts';
import type { Agent } from './agent.ts';

/** Set by scripts/build.ts: the version of a compiled executable. */
declare const VITRINA_VERSION: string | undefined;

const compiled = typeof VITRINA_VERSION === 'string';

const HELP = `session-agent: starts Pixel Streaming sessions on this host, at a coordinator's word

  session-agent run --config FILE     connect to the coordinator and serve sessions
  session-agent signalling [flags]    run the Pixel Streaming signalling server alone; --help lists its flags
  session-agent version               print the version
  session-agent help                  print this
`;

/** The first Ctrl-C or SIGTERM stops in good order, the second kills what is left, and waits no longer than this. */
const FORCE_EXIT_MS = 2_000;

/** How this program starts another copy of itself with a sub-command. */
const itself = (command: string): [string, ...string[]] =>
  compiled ? [process.execPath, command] : [process.execPath, import.meta.path, command];

const version = async (): Promise<string> =>
  compiled ? VITRINA_VERSION : (await import('../package.json')).default.version;

const say = (text: string) => process.stdout.write(`${text}\n`);
const complain = (text: string) => process.stderr.write(`${text}\n`);

const run = async (args: string[]): Promise<number> => {
  const [flag, file, more] = args;
  if (flag !== '--config' || file === undefined || more !== undefined) {
    complain('usage: session-agent run --config FILE');
    return 2;
  }
  // Loaded here and not at the top, so that a signalling process does not pay for the agent at each session's start.
  const [{ readAgentConfig }, agentModule, { baseEnvironment }, { systemClock }, { systemIds }] =
    await Promise.all([
      import('./config.ts'),
      import('./agent.ts'),
      import('./domain/launch.ts'),
      import('../shared/clock.ts'),
      import('../shared/ids.ts'),
    ]);
  const read = await readAgentConfig(file);
  if ('problems' in read) {
    for (const problem of read.problems) complain(describeProblem(problem));
    return 1;
  }
  const log = createLog('session-agent');
  const { server_name, seats, apps } = read.value;
  log.info({ version: await version(), server_name, seats, apps: apps.length }, 'starting');
  const agent = new agentModule.Agent({
    config: read.value,
    signalling: itself('signalling'),
    environment: baseEnvironment(process.env),
    clock: systemClock,
    ids: systemIds,
    log,
  });
  return untilStopped(agent, log);
};

/** Runs the agent until a signal, or an error that nobody foresaw, has stopped it; the exit code. */
const untilStopped = (agent: Agent, log: Log): Promise<number> =>
  new Promise((resolve) => {
    let stopping = false;
    const stop = (code: number) => {
      if (stopping) {
        agent.force();
        setTimeout(() => resolve(1), FORCE_EXIT_MS).unref();
        return;
      }
      stopping = true;
      agent.stop().then(
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
      agent.handOver().then(
        () => resolve(1),
        () => resolve(1),
      );
      setTimeout(() => resolve(1), FORCE_EXIT_MS).unref();
    };
    const failed = (error: unknown) => {
      log.error({ error }, 'an unforeseen error: this agent ends, its sessions wait for the next one');
      leave();
    };
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        log.info({ signal }, stopping ? 'asked again: killing what is left' : 'stopping');
        stop(0);
      });
    }
    process.on('uncaughtException', failed);
    process.on('unhandledRejection', failed);
    agent.start().catch((error: unknown) => {
      log.error({ reason: error instanceof Error ? error.message : String(error) }, 'the agent cannot start');
      leave();
    });
  });

const main = async ([command, ...args]: string[]): Promise<number> => {
  switch (command) {
    case 'run':
      return run(args);
    case 'signalling':
      return (await import('../signalling/main.ts')).runSignalling(args, process.env);
    case 'version':
      say(await version());
      return 0;
    case undefined:
    case 'help':
    case '--help':
      say(HELP);
      return command === undefined ? 2 : 0;
    default:
      complain(`unknown command "${command}"\n\n${HELP}`);
      return 2;
  }
};

process.exit(await main(process.argv.slice(2)));
