import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { describeProblem, editConfig, parseConfig } from '../../shared/config.ts';
import { fetchVerified } from '../../shared/fetch-verified.ts';
import { type Enrolled, enrolledSchema } from '../../shared/protocol/catalogue.ts';
import { problemSchema } from '../../shared/protocol/http.ts';
import { readTextSync } from '../../shared/text-file.ts';
import { configSchema } from '../config.ts';
import { alone, change_ms } from './file-lock.ts';
import { newLogFolder } from './places.ts';
import { writePrivateFile } from './private-file.ts';
import { adviceOn, Failed, type Surroundings, wordsOf } from './surroundings.ts';

export interface Enrolment {
  coordinator: string;
  token: string;
  /** The config.json that is made or changed. */
  file: string;
  /** PEM file of the authority to trust, where the coordinator's certificate is of a private one. */
  ca_file?: string | undefined;
}

const answer_ms = 30_000;
const first_port = 24_000;
const new_ports = 100;

/** https://coordinator.example, without a path; Failed when it is none. */
const originOf = (text: string): string => {
  const url = URL.parse(text.includes('://') ? text : `https://${text}`);
  const protocol = url?.protocol.replace(/^ws/, 'http');
  if (url === null || (protocol !== 'https:' && protocol !== 'http:')) {
    throw new Failed(`"${text}" is no address of a coordinator, like https://coordinator.example`);
  }
  return `${protocol}//${url.host}`;
};

/** What stands in a file that is there. */
const written = (file: string): string => {
  try {
    return readTextSync(file);
  } catch (error) {
    throw new Failed(`${file} cannot be read: ${wordsOf(error)}`);
  }
};

const exchange = async (origin: string, { token, ca_file }: Enrolment): Promise<Enrolled> => {
  const ca = ca_file === undefined ? undefined : written(ca_file);
  let response: Response;
  try {
    response = await fetchVerified(`${origin}/api/v1/enrolments`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token }),
      redirect: 'error',
      signal: AbortSignal.timeout(answer_ms),
      tls: ca === undefined ? {} : { ca },
    });
  } catch (error) {
    throw new Failed(
      `${origin} cannot be reached: ${wordsOf(error)}. Look at name, port, certificate and proxy.`,
    );
  }
  const body: unknown = await response.json().catch(() => undefined);
  const enrolled = enrolledSchema.safeParse(body);
  if (response.status === 201 && enrolled.success) return enrolled.data;
  const problem = problemSchema.safeParse(body);
  throw new Failed(
    problem.success
      ? problem.data.title
      : `${origin} answered with status ${response.status} and no enrolment: is it a coordinator?`,
  );
};

const newConfig = (values: Record<string, string>, file: string): string =>
  `// Written by "session-agent enroll". The agent takes changes while it runs; docs/operations.md explains each key.
${JSON.stringify(
  {
    ...values,
    seats: 1,
    ports: { from: first_port, to: first_port + new_ports - 1 },
    log_folder: newLogFolder(file),
    apps: [],
  },
  null,
  2,
)}
`;

/** The text that config.json is to have. A file that is there keeps what it says otherwise. */
const configText = (values: Record<string, string>, file: string): string => {
  if (!existsSync(file)) return newConfig(values, file);
  const text = written(file);
  return Object.entries(values).reduce((edited, [key, value]) => editConfig(edited, [key], value), text);
};

/** Refuses before the token is spent: a file that cannot be changed, or would not be good afterwards. */
const checkFile = (file: string, origin: string): void => {
  const values = { coordinator: origin, server_name: 'host', key: 'x'.repeat(43) };
  const text = configText(values, file);
  const parsed = parseConfig(text, file, configSchema);
  if ('problems' in parsed) {
    throw new Failed(`${file} has to be mended first:\n${parsed.problems.map(describeProblem).join('\n')}`);
  }
  try {
    mkdirSync(dirname(file), { recursive: true });
    // As long as the real one: a disk may have room for an empty file only.
    writePrivateFile(`${file}.probe`, text);
    rmSync(`${file}.probe`);
  } catch (error) {
    throw new Failed(`${file} cannot be written: ${adviceOn(error)} --config FILE chooses another place.`);
  }
};

/** Writes config.json; whether it is a new one, and whether the host had another name until now. */
const write = (values: Record<string, string>, file: string): { fresh: boolean; renamed: boolean } => {
  const before = existsSync(file) ? parseConfig(written(file), file, configSchema) : undefined;
  writePrivateFile(file, configText(values, file));
  const old_name = before !== undefined && 'value' in before ? before.value.server_name : undefined;
  return {
    fresh: before === undefined,
    renamed: before !== undefined && old_name !== values.server_name,
  };
};

const loopback = ['127.0.0.1', 'localhost', '[::1]'];

/** Exchanges the token for the host's own key and writes config.json. Throws Failed. */
export const enroll = async (order: Enrolment, surroundings: Surroundings): Promise<void> => {
  const { file, ca_file } = order;
  const { say, complain } = surroundings;
  const origin = originOf(order.coordinator);
  const { protocol, hostname } = new URL(origin);
  if (protocol === 'http:' && !loopback.includes(hostname)) {
    complain('The key travels unencrypted: use https:// where others can listen.');
  }
  checkFile(file, origin);
  const { server_name, key } = await exchange(origin, order);
  // The address that has just worked, from this very machine.
  const values = { coordinator: origin, server_name, key, ...(ca_file === undefined ? {} : { ca_file }) };
  const { fresh, renamed } = await alone(file, change_ms, surroundings, () => write(values, file));
  say(`This machine is the host "${server_name}" now: ${file} ${fresh ? 'is written' : 'has its new key'}.`);
  if (!fresh) {
    return say(
      renamed
        ? 'An agent that runs has another name: restart it (systemctl restart vitrina-agent); until then nothing of the file is in force.'
        : 'A running agent takes the new key by itself.',
    );
  }
  say('Next:');
  say('  session-agent apps add "NAME" PATH [arguments...]   what this host has to show');
  say('  session-agent doctor                                whether everything is in place');
  say(
    '  session-agent install                               start it now and with the machine (or: session-agent run)',
  );
};
