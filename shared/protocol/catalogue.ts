import { z } from 'zod';
import { appNeedsSchema, hostCardSchema, hostFiguresSchema } from './agent-link.ts';
import { instantSchema } from './instant.ts';
import { namedSchema, nameSchema } from './names.ts';

/** The catalogue as operators edit it: the REST bodies under `/api/v1/catalogue`. */

const picture_endings = ['png', 'jpg', 'jpeg', 'webp', 'avif', 'gif', 'svg'];

/** A plain file name, so that nothing outside `pictures/` can be named. */
export const pictureNameSchema = z
  .string()
  .max(200)
  .regex(/^[\w-][\w .-]*\.[A-Za-z]{3,4}$/, 'the name of a picture in pictures/, like "tower.webp"')
  .refine(
    (name) => picture_endings.includes(name.slice(name.lastIndexOf('.') + 1).toLowerCase()),
    `ends with .${picture_endings.join(', .')}`,
  );

const languages_most = 20;

/** Texts by language: `{ "en": "...", "ru": "..." }`. */
const textsSchema = (chars: number) =>
  z
    .record(
      z.string().regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$/, 'a language, like "en" or "pt-BR"'),
      z.string().trim().max(chars),
    )
    .refine((texts) => Object.keys(texts).length <= languages_most, `at most ${languages_most} languages`);

const longest_minutes = 1_440;
const minutesSchema = z.number().int().min(5).max(longest_minutes).multipleOf(5);
const quotaSchema = z.number().int().min(0).max(1_000_000).nullable();

const appFields = {
  title: textsSchema(200),
  description: textsSchema(5_000),
  /** A file in `pictures/` of the data directory; null for none. */
  picture: pictureNameSchema.nullable(),
  /** How long a session is planned for, unless somebody says otherwise. */
  default_minutes: minutesSchema,
  /** How long one may become, extensions included; at least `default_minutes`. */
  max_minutes: minutesSchema,
  /** A session in which nobody has been active for so long ends; 0: never. */
  idle_seconds: z.union([z.literal(0), z.number().int().min(30).max(86_400)], '0, or 30 to 86400 seconds'),
  who_may_start: z.enum(['anyone', 'accounts']),
  /** The owner of a session lets each guest in. */
  lobby: z.boolean(),
  enabled: z.boolean(),
  /** Sessions and minutes of this app that one account may have in a period; null for no bound of its own. */
  quota_sessions: quotaSchema,
  quota_minutes: quotaSchema,
};

/** `POST /catalogue/apps`: what is not given has a default. */
export const createAppSchema = z.strictObject(appFields).partial().extend({ name: nameSchema });
export type CreateApp = z.infer<typeof createAppSchema>;

/** `PATCH /catalogue/apps/{name}`: what is given is changed. */
export const changeAppSchema = z
  .strictObject(appFields)
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'changes nothing');
export type ChangeApp = z.infer<typeof changeAppSchema>;

/** Who describes it: servers.json, or operators over REST. */
const sourceSchema = z.enum(['file', 'rest']);

/** An app with its settings: `GET /catalogue/apps/{name}`. */
export const catalogueAppSchema = z.strictObject({
  name: z.string(),
  ...appFields,
  /** Names of the hosts that have it. */
  hosts: z.array(z.string()),
  source: sourceSchema,
  version: z.number().int(),
});
export type CatalogueAppView = z.infer<typeof catalogueAppSchema>;
export const catalogueAppsSchema = z.strictObject({ apps: z.array(catalogueAppSchema) });

const host_apps_most = 200;
const hostAppsSchema = z
  .array(namedSchema)
  .max(host_apps_most)
  .refine((names) => new Set(names).size === names.length, 'names an app twice');

/** `POST /catalogue/hosts`. */
export const createHostSchema = z.strictObject({ name: nameSchema, apps: hostAppsSchema });
export type CreateHost = z.infer<typeof createHostSchema>;

/** `PATCH /catalogue/hosts/{name}`: what is given is changed; `apps` replaces all of them. */
export const changeHostSchema = z
  .strictObject({
    draining: z.boolean(),
    /** Replaces those before: what holds for a draining host holds for these cards of it. */
    draining_cards: z
      .array(hostCardSchema.shape.index)
      .max(64)
      .refine((cards) => new Set(cards).size === cards.length, 'names a card twice'),
    apps: hostAppsSchema,
  })
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'changes nothing');
export type ChangeHost = z.infer<typeof changeHostSchema>;

export const catalogueHostSchema = z.strictObject({
  name: z.string(),
  apps: z.array(z.string()),
  /** As its agent last said; 0 before it ever came. */
  seats: z.number().int(),
  /** It takes no new session. */
  draining: z.boolean(),
  /** Cards that take none. */
  draining_cards: z.array(z.number().int()),
  /** `elsewhere`: its agent connects to another coordinator, which knows what is null and empty here. */
  link: z.enum(['connected', 'away', 'elsewhere']),
  /** When its agent was last heard of by this coordinator. */
  last_seen_at: instantSchema.nullable(),
  /** Its agent's release. */
  agent_version: z.string().nullable(),
  placing: z.enum(['spread', 'pack']),
  /** As its agent last said; a machine that lists none counts as one. */
  cards: z.array(
    hostCardSchema.extend({
      seats: z.number().int(),
      draining: z.boolean(),
      /** Sessions that run there now. */
      sessions: z.number().int(),
      /** Instances that wait for a session. */
      warm: z.array(z.strictObject({ rc_name: z.string(), ready: z.number().int() })),
    }),
  ),
  /** What one session of each app takes of its card. */
  needs: z.array(appNeedsSchema),
  figures: hostFiguresSchema.nullable(),
  /** Since when its agents are refused, because two machines had its key; null when they are not. */
  quarantined_at: instantSchema.nullable(),
  source: sourceSchema,
  created_at: instantSchema,
  version: z.number().int(),
});
export type CatalogueHostView = z.infer<typeof catalogueHostSchema>;
export const catalogueHostsSchema = z.strictObject({ hosts: z.array(catalogueHostSchema) });

/** Answers POST /catalogue/hosts and POST /catalogue/hosts/{name}/key: the only time that the key is shown. */
export const hostKeySchema = catalogueHostSchema.extend({ key: z.string() });
export type HostKey = z.infer<typeof hostKeySchema>;

/** `POST /catalogue/hosts/{name}/enrolments`: how long the token is good. */
export const makeEnrolmentSchema = z.strictObject({
  minutes: z.number().int().min(1).max(10_080).default(60),
});

/** Answers it: the only time that the token is shown. */
export const enrolmentSchema = z.strictObject({
  host: z.string(),
  token: z.string(),
  expires_at: instantSchema,
  /** To be run on the host. */
  command: z.string(),
});

/** `POST /enrolments`, which an agent sends without a login. */
export const enrolSchema = z.strictObject({ token: z.string().min(1).max(200) });

/** Answers it: what belongs into the host's config.json. */
export const enrolledSchema = z.strictObject({
  server_name: namedSchema,
  key: z.string(),
});
export type Enrolled = z.infer<typeof enrolledSchema>;
