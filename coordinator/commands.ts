import { z } from 'zod';
import {
  type CommandLine,
  type Commands,
  digits,
  type Given,
  text,
  toggle,
  value,
  values,
} from '../shared/commands.ts';
import { isRefusal } from '../shared/errors.ts';
import { logLevels } from '../shared/log.ts';
import { nameSchema } from '../shared/protocol/names.ts';
import { version } from '../shared/version.ts';
import { normaliseEmail } from './accounts/rules.ts';

const minutes_most = 10_080;

const data = value('DIR', 'the data directory: servers.json, configuration.json, pictures/', text);
const data_or_database = value(
  'DIR',
  'the data directory, whether a coordinator runs on it or not; not needed with DATABASE_URL',
  text.optional(),
);
const url = (who: string) =>
  value(
    'URL',
    `where ${who} reach the coordinator (default: public_url of configuration.json in DIR)`,
    z.url({ protocol: /^https?$/, error: 'is an address like https://vitrina.example' }).optional(),
  );
const email_schema = z
  .string()
  .refine((text) => !isRefusal(normaliseEmail(text)), 'is an address like anna@example.com');

/** What is printed into other programs' files holds nothing that means something there. */
const host_name = z
  .string()
  .regex(/^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*$/i, 'is a name without scheme and port, like vitrina.example');
const host_and_port = z
  .string()
  .regex(
    /^(\[[0-9a-f:]+\]|[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})*):[1-9]\d{0,4}$/i,
    'is an address and a port, like 10.0.0.2:8080',
  );
const path = z
  .string()
  .regex(/^[^\s"'`$%;#{}\\]+$/, 'is a path without blanks and quotes, which not every program takes');

/** Where a program around the coordinator finds it. */
const around = {
  data: value('DIR', 'the data directory; its configuration.json says what flags do not', text.optional()),
  host: value('NAME', 'the name that visitors type', host_name.optional()),
  port: value('N', 'where the coordinator listens', digits(1, 65_535).optional()),
};
const certified = {
  ...around,
  certificate: value('FILE', 'PEM, where it is not at the usual place', path.optional()),
  certificate_key: value('FILE', 'the key of that certificate', path.optional()),
};
const named = {
  turn_host: value(
    'NAME',
    'a second name of the same address: TURN shares TCP port 443 with the site',
    host_name.optional(),
  ),
};
const shared = { ...certified, ...named };
const balanced = {
  coordinator: values(
    'HOST:PORT',
    'where one of several coordinators of one database listens, as often as there are (default: this machine, and the port)',
    host_and_port,
  ),
};

/** Every command of the program. */
const commands = {
  serve: {
    about: 'answers browsers and session agents until SIGINT or SIGTERM',
    flags: {
      data,
      port: value(
        'N',
        'listen on this port, not on the one in configuration.json; 0 for any free one',
        digits(0, 65_535).optional(),
      ),
      log_level: value(
        'L',
        `${logLevels.join(', ')} (default info)`,
        z.enum(logLevels, `is one of ${logLevels.join(', ')}`).default('info'),
      ),
    },
  },
  migrate: {
    about: 'brings the schema of the database at DATABASE_URL up to this version',
    flags: {
      status: toggle('only say what is applied and what is due'),
      'dry-run': toggle('only print the SQL that is due'),
    },
  },
  import: {
    about:
      'copies the JSON files of a data directory into the empty database at DATABASE_URL, or goes on with that',
    words: { data: { shows: 'DIR', about: 'the data directory to copy', schema: text } },
    flags: {},
  },
  'import undo': {
    about: 'removes what an import that was not finished has copied into the database at DATABASE_URL',
    also: ['import --undo'],
    flags: {},
  },
  check: {
    about:
      'says what is wrong with the schema and the stored data, of the database at DATABASE_URL or of a data directory',
    flags: {
      repair: toggle('mend what can be mended without a loss'),
      json: toggle('print what was found as one JSON object'),
      data: data_or_database,
    },
  },
  'config nginx': {
    about: 'prints the configuration of nginx in front of the coordinator',
    flags: { ...shared, ...balanced },
  },
  'config nginx-stream': {
    about: 'prints the part of nginx that tells TURN from the site on port 443',
    flags: shared,
  },
  'config haproxy': {
    about: 'prints the configuration of HAProxy in front of the coordinator',
    flags: { ...shared, ...balanced },
  },
  'config caddy': {
    about: 'prints the configuration of Caddy in front of the coordinator',
    flags: { ...certified, ...balanced },
  },
  'config coturn': {
    about: 'prints the configuration of coturn, the TURN server',
    flags: {
      ...shared,
      secret_file: value('FILE', 'the secret that coturn and the coordinator share', text.optional()),
      address: value(
        'IP',
        'the public address of this machine (default: its first one)',
        z.union([z.ipv4(), z.ipv6()], 'is an IP address').optional(),
      ),
    },
  },
  'config systemd': { about: 'prints the unit that runs the coordinator as a service', flags: around },
  'admin create': {
    about: 'makes an administrator; asks for the password, or reads one line of standard input',
    flags: {
      email: value('E', 'the address to log in with', email_schema),
      name: value('N', 'the name that others see', nameSchema),
      data: data_or_database,
    },
  },
  'admin reset': {
    about: 'gives an account a new password, and logs it out everywhere; asks as "admin create" does',
    flags: {
      email: value('E', 'the address that its owner logs in with', email_schema),
      link: toggle('print a link instead, by which its owner sets the password'),
      url: url('browsers'),
      data: data_or_database,
    },
  },
  'admin erase': {
    about: 'erases an account and everything that names it; its bookings are cancelled, its sessions end',
    flags: {
      email: value('E', 'the address that its owner logs in with', email_schema),
      data: data_or_database,
    },
  },
  enrol: {
    about: 'prints the command by which a machine becomes a host; makes the host and its apps if need be',
    also: ['enroll'],
    words: { host: { shows: 'NAME', about: 'the name of the host', schema: nameSchema } },
    flags: {
      app: values('APP', 'an app that the host has; may be repeated', nameSchema),
      minutes: value(
        'N',
        'how long the command is good, once (default 60)',
        digits(1, minutes_most).default(60),
      ),
      url: url('hosts'),
      data: data_or_database,
      email: value(
        'E',
        'from another machine: an operator of the coordinator that runs at URL; asks for the password',
        email_schema.optional(),
      ),
    },
  },
} satisfies Commands;

export type CoordinatorCommands = typeof commands;
/** What a command was given. */
export type GivenTo<N extends keyof CoordinatorCommands> = Given<CoordinatorCommands[N]>;

export const commandLine: CommandLine<CoordinatorCommands> = {
  name: 'coordinator',
  about: 'brokers Pixel Streaming sessions between browsers and hosts',
  version,
  commands,
};
