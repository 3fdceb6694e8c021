import { z } from 'zod';
import { pictureNameSchema } from '../../shared/protocol/catalogue.ts';
import { type ServerEntry, serverEntrySchema } from '../../shared/protocol/client-verbs.ts';
import { nameSchema, wholeNumberSchema } from '../../shared/protocol/names.ts';
import { hashOf } from '../kit/secrets.ts';
import { catalogueOf, type FileCatalogue, type FileHost, type FileSettings } from './file-catalogue.ts';

const shownInfo = serverEntrySchema.shape.rc_info.shape.info.shape;

/** A visit in minutes: bookings stand on a grid of five. */
const visitMinutesSchema = wholeNumberSchema(5, 1_440).refine(
  (minutes) => minutes % 5 === 0,
  'a multiple of 5',
);

/** How an app may be used, where it is not as `appDefaults` says. */
const settingsSchema = {
  default_minutes: visitMinutesSchema.optional(),
  max_minutes: visitMinutesSchema.optional(),
  /** 0 for never. */
  idle_seconds: wholeNumberSchema(0, 86_400).optional(),
  who_may_start: z.enum(['anyone', 'accounts']).optional(),
  lobby: z.boolean().optional(),
};

const infoSchema = z
  .strictObject({
    title: shownInfo.title,
    description: shownInfo.description.optional(),
    /** As the first design spells it. */
    deskription: shownInfo.description.optional(),
    ...settingsSchema,
    picture: pictureNameSchema.optional(),
  })
  .superRefine(({ description, deskription }, context) => {
    if (description === undefined && deskription === undefined) {
      context.addIssue({ code: 'custom', path: ['description'], message: 'is missing' });
    } else if (description !== undefined && deskription !== undefined) {
      context.addIssue({ code: 'custom', path: ['deskription'], message: 'repeats description' });
    }
  });

const fileEntrySchema = z.strictObject({
  server_name: nameSchema,
  ip: z.string().max(255),
  port: wholeNumberSchema(1, 65_535),
  rc_info: z.strictObject({ rc_name: nameSchema, info: infoSchema }),
  /** What the host's agent presents; in at least one entry of each host. */
  key: z
    .string()
    .regex(/^[\x21-\x7e]{16,200}$/, '16 to 200 letters, digits and signs, without spaces')
    .optional(),
});
type FileEntry = z.infer<typeof fileEntrySchema>;

const shown = ({ server_name, ip, port, rc_info }: FileEntry): ServerEntry => {
  const { title, picture, description, deskription } = rc_info.info;
  return {
    server_name,
    ip,
    port: String(port),
    rc_info: {
      rc_name: rc_info.rc_name,
      info: {
        description: description ?? deskription ?? [],
        ...(title === undefined ? {} : { title }),
        ...(picture === undefined ? {} : { picture }),
      },
    },
  };
};

const settingsOf = ({ rc_info: { info } }: FileEntry): FileSettings => {
  const { default_minutes, max_minutes, idle_seconds, who_may_start, lobby } = info;
  const given = { default_minutes, max_minutes, idle_seconds, who_may_start, lobby };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
};

const hostsOf = (entries: readonly FileEntry[]): Map<string, FileHost> => {
  const keys = keysOf(entries);
  return new Map(
    entries
      .map(({ server_name, ip, port }): [string, FileHost] => [
        server_name,
        { ip, port, key_hash: hashOf(keys.get(server_name) ?? '') },
      ])
      .reverse(),
  );
};

/** The key of each host: the first one that stands in the file. */
const keysOf = (entries: readonly FileEntry[]): Map<string, string> =>
  new Map(
    entries
      .flatMap(({ server_name, key }) => (key === undefined ? [] : [[server_name, key] as const]))
      .reverse(),
  );

const checkHosts = (entries: FileEntry[], context: z.core.$RefinementCtx<FileEntry[]>): void => {
  const keys = keysOf(entries);
  const seen = new Set<string>();
  const problem = (path: (string | number)[], message: string) =>
    context.addIssue({ code: 'custom', path, message });
  for (const [at, { server_name, key, rc_info }] of entries.entries()) {
    const pair = JSON.stringify([server_name, rc_info.rc_name]);
    if (seen.has(pair)) problem([at, 'rc_info', 'rc_name'], 'this host has the app already');
    seen.add(pair);
    if (!keys.has(server_name)) problem([at, 'key'], 'no entry of this server_name has a key');
    else if (key !== undefined && key !== keys.get(server_name)) {
      problem([at, 'key'], 'differs from the key in another entry of this server_name');
    }
  }
};

/** servers.json: an array of host and app pairs as in the first design, read into a catalogue. */
export const serversFileSchema = z
  .array(fileEntrySchema)
  .superRefine(checkHosts)
  .transform(
    (entries): FileCatalogue =>
      catalogueOf(
        entries.map((entry) => ({ entry: shown(entry), settings: settingsOf(entry) })),
        hostsOf(entries),
      ),
  );
