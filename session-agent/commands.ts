import { z } from 'zod';
import {
  type CommandLine,
  type Commands,
  digits,
  type Given,
  text,
  toggle,
  value,
} from '../shared/commands.ts';
import { version } from '../shared/version.ts';

const longest_wait_seconds = 3_600;

const config = {
  config: value(
    'FILE',
    'config.json; else it is beside this program, or in /etc/vitrina (Linux), %ProgramData%\\Vitrina (Windows)',
    text.optional(),
  ),
};

const json = { json: toggle('as JSON, for programs') };

const app_name = { shows: 'NAME', about: 'the name of the app, as the catalogue has it', schema: text };

/** Every command of the program. */
const commands = {
  enroll: {
    about: 'make this machine a host of the coordinator at URL; writes config.json',
    also: ['enrol'],
    words: { url: { shows: 'URL', about: 'the address of the coordinator', schema: text } },
    flags: {
      token: value('T', 'what "coordinator enrol" has printed', text),
      ca: value(
        'FILE',
        'the certificate authority of the coordinator, when it is a private one',
        text.optional(),
      ),
      ...config,
    },
  },
  install: {
    about: 'run it as a service, now and when the machine starts',
    flags: {
      user: value('NAME', 'the user that it runs as', text.optional()),
      folder: value('DIR', 'write the service to this folder, and do not start it', text.optional()),
      print: toggle('only show the service'),
      ...config,
    },
  },
  uninstall: {
    about: 'end the service',
    flags: { folder: value('DIR', 'the folder that "install" was given', text.optional()) },
  },
  run: { about: 'connect to the coordinator and serve sessions, in this terminal', flags: config },
  status: {
    about: 'what runs, the link, the last errors; exit code 0 when connected',
    flags: { ...json, ...config },
  },
  monit: { about: 'the same, live; q leaves', flags: config },
  logs: {
    about: "the agent's log, or the output of a session's programs",
    words: {
      session: {
        shows: 'SESSION',
        about: 'the id of a session, as "status" shows it',
        schema: text.optional(),
        dashed: /^[\w-]{22}$/,
      },
    },
    flags: { follow: toggle('go on as lines come; Ctrl-C ends it', 'f'), ...json, ...config },
  },
  drain: {
    about: 'let no new sessions start here; those that run go on. Holds until undrain, over restarts too',
    flags: config,
  },
  undrain: { about: 'take sessions again, unless an operator has drained this host', flags: config },
  'apps list': { about: 'the apps of this host', flags: config },
  'apps add': {
    about: 'put an app into config.json; its own arguments stand behind its path as they are',
    words: { name: app_name, path: { shows: 'PATH', about: 'its executable', schema: text } },
    rest: '[ARGUMENTS...]',
    flags: { engine: value('VERSION', "the engine's version: 5.7", text.optional()), ...config },
  },
  'apps remove': { about: 'take an app out of config.json', words: { name: app_name }, flags: config },
  doctor: {
    about: 'look at everything that this host needs, and say what to do',
    flags: { ...json, ...config },
  },
  update: {
    about: 'replace this program by another release; the one before comes back when it does not connect',
    words: { source: { shows: 'FILE|URL', about: 'the new release', schema: text } },
    flags: {
      sha256: value(
        'HEX',
        'refuse any other file',
        z
          .string()
          .regex(/^[0-9a-f]{64}$/i, 'is 64 hexadecimal digits')
          .optional(),
      ),
      wait: value(
        'SECONDS',
        'how long the new release may take to connect (default 60)',
        digits(1, longest_wait_seconds).default(60),
      ),
      'allow-older': toggle('take a release before this one, too'),
      'no-restart': toggle('only put the file in its place'),
      ...config,
    },
  },
  signalling: {
    about: 'run the Pixel Streaming signalling server alone; "signalling --help" lists its flags',
    rest: '[FLAGS...]',
    flags: {},
  },
  'exchange-release': {
    about: 'for "update" to say',
    words: { order: { shows: 'ORDER', about: 'what to exchange', schema: text } },
    flags: {},
    hidden: true,
  },
} satisfies Commands;

export type AgentCommands = typeof commands;
/** What a command was given. */
export type GivenTo<N extends keyof AgentCommands> = Given<AgentCommands[N]>;

export const commandLine: CommandLine<AgentCommands> = {
  name: 'session-agent',
  about: "starts Pixel Streaming sessions on this host, at a coordinator's word",
  version,
  commands,
};
