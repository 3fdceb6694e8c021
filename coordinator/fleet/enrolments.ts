import { isRefusal, type Refusal, refuse } from '../../shared/errors.ts';
import { createApp } from '../catalogue/apps.ts';
import { checkSource } from '../catalogue/rules.ts';
import { audit } from '../kit/audit.ts';
import { hashOf } from '../kit/secrets.ts';
import type { Services } from '../kit/services.ts';
import { portion, type Removals } from '../kit/sweep.ts';
import { addHost } from './hosts.ts';

type Parts = Pick<Services, 'db' | 'clock' | 'ids'>;

export interface Enrolment {
  readonly host: string;
  /** Shown once. */
  readonly token: string;
  readonly expires_at: number;
}

/** What is typed on the host. A token may begin with a dash. */
export const enrolCommand = (coordinator: string, token: string): string =>
  `session-agent enroll ${coordinator} --token=${token}`;

/**
 * A token by which one agent gets the host's key, once, within so many minutes; host_unknown or managed_by_file. One at a
 * time: a token that went astray is void as soon as there is a new one.
 */
export const makeEnrolment = (
  parts: Parts,
  actor: string,
  name: string,
  minutes: number,
): Promise<Enrolment | Refusal> => {
  const token = parts.ids.secret();
  return parts.db.transact(async (tables) => {
    const row = await tables.hosts.lock({ name });
    if (row === undefined) return refuse('host_unknown');
    const refused = checkSource(row.source, ['key']);
    if (refused !== undefined) return refused;
    const expires_at = parts.clock.now() + minutes * 60_000;
    await tables.enrolments.remove({ host: name });
    const token_hash = hashOf(token);
    await tables.enrolments.insert({ token_hash, host: name, made_by: actor, expires_at, used_at: null });
    await audit(parts, tables, actor, 'host.enrolment', name, { expires_at });
    return { host: name, token, expires_at };
  });
};

/**
 * Exchanges the token for a new key of its host: the one before opens nothing from now on, and a quarantine ends.
 * enrolment_wrong, whatever is wrong with the token.
 */
export const useEnrolment = async (
  parts: Parts,
  token: string,
): Promise<{ readonly server_name: string; readonly key: string } | Refusal> => {
  const token_hash = hashOf(token);
  const key = parts.ids.secret();
  const name = (await parts.db.read(({ enrolments }) => enrolments.get({ token_hash })))?.host;
  if (name === undefined) return refuse('enrolment_wrong');
  return parts.db.transact(async (tables) => {
    const now = parts.clock.now();
    const host = await tables.hosts.lock({ name });
    const enrolment = await tables.enrolments.lock({ token_hash });
    const open = enrolment?.used_at === null && enrolment.expires_at > now;
    if (!open || host?.source !== 'rest') return refuse('enrolment_wrong');
    await tables.enrolments.update({ token_hash }, { used_at: now });
    await tables.hosts.update({ name }, { key_hash: hashOf(key), quarantined_at: null });
    await audit(parts, tables, enrolment.made_by, 'host.enrolled', name);
    return { server_name: name, key };
  });
};

/** Adds the apps to those that the host has, unless servers.json says which. */
const giveApps = (parts: Parts, actor: string, name: string, apps: readonly string[]): Promise<void> =>
  parts.db.transact(async (tables) => {
    const row = await tables.hosts.lock({ name });
    const had = (await tables.host_apps.find({ host: name })).map(({ app }) => app);
    const more = [...new Set(apps)].filter((app) => !had.includes(app));
    if (row?.source !== 'rest' || more.length === 0) return;
    await tables.host_apps.insert(...more.map((app) => ({ host: name, app })));
    // Its version counts the changes of its apps, too.
    await tables.hosts.update({ name }, { draining: row.draining });
    await audit(parts, tables, actor, 'host.changed', name, { apps: [...had, ...more] });
  });

const taken = (result: unknown): boolean => isRefusal(result) && result.refused === 'name_taken';

/**
 * `makeEnrolment` for whoever sits at the coordinator's machine: a host that is not there yet is made, with these apps,
 * which are made too. managed_by_file, too_many, or what is wrong with a name.
 */
export const enrolFromCommandLine = async (
  parts: Parts,
  {
    name,
    apps,
    minutes,
  }: { readonly name: string; readonly apps: readonly string[]; readonly minutes: number },
): Promise<Enrolment | Refusal> => {
  const actor = 'command-line';
  for (const app of apps) {
    const made = await createApp(parts, actor, { name: app });
    if (isRefusal(made) && !taken(made)) return made;
  }
  const host = await addHost(parts, actor, { name, apps: [...new Set(apps)] });
  if (isRefusal(host) && !taken(host)) return host;
  if (taken(host)) await giveApps(parts, actor, name, apps);
  return makeEnrolment(parts, actor, name, minutes);
};

/** Tokens that nobody can use any more. */
export const enrolmentRemovals: Removals = {
  enrolments: ({ enrolments }, now) => enrolments.remove({ expires_at: { to: now + 1 } }, portion),
};
