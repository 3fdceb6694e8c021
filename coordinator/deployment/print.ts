import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { type AddressClass, addressClass } from '../../shared/address-class.ts';
import { describeProblem, readConfig } from '../../shared/config.ts';
import { ownAddresses } from '../../shared/own-addresses.ts';
import { readText } from '../../shared/text-file.ts';
import { type Configuration, configurationSchema } from '../kit/settings.ts';
import type { Deployment } from './deployment.ts';
import { deploymentFile, type Program } from './programs.ts';

/** What `config` is told besides configuration.json. */
export interface DeploymentFlags {
  /** The data directory. */
  readonly data?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly coordinator?: readonly string[] | undefined;
  readonly secret_file?: string | undefined;
  readonly address?: string | undefined;
  readonly turn_host?: string | undefined;
  readonly certificate?: string | undefined;
  readonly certificate_key?: string | undefined;
}

const default_data = '/var/lib/vitrina';
const default_port = 8080;
/** As many as the printed comments name. */
const sample_urls = 3;

/** The secret of a file: one word, as coturn takes the rest of the line for it. */
const secretOf = async (file: string | undefined): Promise<string | undefined> => {
  if (file === undefined) return undefined;
  const text = (await readText(file)).trim();
  if (/[^\x21-\x7e]/.test(text))
    throw new Error(`${file} does not hold one word of plain letters and digits`);
  return text === '' ? undefined : text;
};

/** The first IPv4 address of this machine that others can reach. */
const ownAddress = (): string | undefined =>
  ownAddresses().find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

const deploymentOf = async (
  flags: DeploymentFlags,
  configuration: Partial<Configuration>,
): Promise<Deployment> => {
  const { data = default_data, address = ownAddress(), turn_host, certificate, certificate_key } = flags;
  const { coordinator = [] } = flags;
  const { public_url, port = default_port, turn } = configuration;
  const host = flags.host ?? (public_url === undefined ? '' : new URL(public_url).hostname);
  const named = turn === undefined ? undefined : resolve(data, turn.secret_file);
  return {
    host,
    port: flags.port ?? port,
    upstreams: coordinator.length === 0 ? [`127.0.0.1:${flags.port ?? port}`] : coordinator,
    data: resolve(data),
    address,
    realm: turn?.realm ?? host,
    turn_secret: await secretOf(flags.secret_file ?? named),
    turn_host,
    turn_urls: turn?.urls.length ?? sample_urls,
    certificate,
    certificate_key,
  };
};

/** Addresses that no visitor's browser reaches a relay at. */
const unreachable: readonly AddressClass[] = ['unspecified', 'loopback', 'link_local', 'multicast'];

/** A name as DNS knows it. */
const known = (name: string): string => name.toLowerCase().replace(/\.$/, '');

/** What does not go together, or would be printed and never work. */
const wrongIn = (program: Program, deployment: Deployment): string | undefined => {
  const { host, address, turn_host, certificate, certificate_key } = deployment;
  if (turn_host !== undefined && (isIP(turn_host) !== 0 || known(turn_host) === known(host))) {
    return `--turn_host is another name than the site's, of the same address: turn.${isIP(host) === 0 ? host : 'example.com'}, for one. By it the proxy tells the two apart.`;
  }
  if (program === 'haproxy') {
    return certificate_key === undefined
      ? undefined
      : 'HAProxy reads certificates and key from one file: --certificate FILE, without --certificate_key.';
  }
  if ((certificate === undefined) !== (certificate_key === undefined))
    return '--certificate and --certificate_key go together.';
  const odd =
    address !== undefined &&
    ((address.includes('.') && address.includes(':')) || unreachable.includes(addressClass(address)));
  return program === 'coturn' && odd
    ? `--address is the one that visitors reach relays at, and ${address} is none. On a machine behind NAT it is the machine's own address there.`
    : undefined;
};

/** The address that configuration.json of the data directory gives to the coordinator; undefined when it gives none. */
export const publicUrl = async (data: string): Promise<string | undefined> => {
  const read = await readConfig(join(data, 'configuration.json'), configurationSchema);
  return 'value' in read ? read.value.public_url : undefined;
};

/** `coordinator config`: the file on standard output, what is wrong to `say`. Gives the exit code. */
export const printDeployment = async (
  program: Program,
  flags: DeploymentFlags,
  say: (text: string) => void,
): Promise<number> => {
  const read =
    flags.data === undefined
      ? { value: {} }
      : await readConfig(join(flags.data, 'configuration.json'), configurationSchema);
  if ('problems' in read) {
    for (const problem of read.problems) say(describeProblem(problem));
    return 1;
  }
  try {
    const deployment = await deploymentOf(flags, read.value);
    const wrong = wrongIn(program, deployment);
    const made = wrong === undefined ? deploymentFile(program, deployment) : { missing: wrong };
    if ('text' in made) process.stdout.write(made.text);
    else say(made.missing);
    return 'text' in made ? 0 : 1;
  } catch (error) {
    say(`The secret cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
};
