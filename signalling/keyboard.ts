import type { Log } from '../shared/log.ts';
import type { Config } from './config.ts';
import { withoutSecrets } from './options.ts';
import type { Signalling } from './server.ts';

interface Command {
  help: string;
  run(config: Config, signalling: Signalling): Record<string, unknown>;
}

const commands: Record<string, Command> = {
  c: { help: 'the options in force', run: ({ options }) => ({ config: withoutSecrets(options) }) },
  i: {
    help: 'how many are connected',
    run: (_, { registry }) => ({ streamers: registry.streamers.size, players: registry.players.size }),
  },
  s: {
    help: 'the streamers',
    run: (_, { registry }) => ({
      streamers: [...registry.streamers.values()].map(({ id, streaming, subscribers }) => ({
        id,
        streaming,
        players: subscribers.size,
      })),
    }),
  },
  p: {
    help: 'the players',
    run: (_, { registry }) => ({
      players: [...registry.players.values()].map(({ connection, subscribed = '' }) => ({
        id: connection,
        streamer: registry.streamers.get(subscribed)?.id,
      })),
    }),
  },
};

/** Carries out one line of `--stdin`; the answer goes to the log. Says whether the server is to stop. */
export const keyboardCommand = (
  line: string,
  config: Config,
  signalling: Signalling,
  log: Log,
): 'stop' | 'go on' => {
  const key = line.trim();
  if (key === 'q') return 'stop';
  const command = Object.hasOwn(commands, key) ? commands[key] : undefined;
  if (command !== undefined) log.info(command.run(config, signalling), command.help);
  else if (key !== '') {
    const help = Object.fromEntries(Object.entries(commands).map(([name, { help }]) => [name, help]));
    log.info({ commands: { ...help, h: 'this list', q: 'stop' } }, 'commands');
  }
  return 'go on';
};
