import { choice, flag, id, instant, int, json, long, name, optional, shape, text } from '../store/table.ts';

export const server_name_chars = 128;
export const app_name_chars = 128;
const title_chars = 200;

/** The apps, and the machines that run them. */
export const catalogueShapes = {
  apps: shape(
    'apps',
    {
      name: name(app_name_chars),
      /** JSON: texts by language. */
      title: json(long()),
      description: json(long()),
      picture: optional(text(title_chars)),
      default_minutes: int(),
      max_minutes: int(),
      idle_seconds: int(),
      who_may_start: choice('anyone', 'accounts'),
      lobby: flag(),
      enabled: flag(),
      /** Sessions and minutes of this app that one account may have in a period. */
      quota_sessions: optional(int()),
      quota_minutes: optional(int()),
      /** Who says so: servers.json, or people over REST. */
      source: choice('file', 'rest'),
      version: int(),
    },
    ['name'],
  ),

  hosts: shape(
    'hosts',
    {
      name: name(server_name_chars),
      /** SHA-256 of the agent's key. */
      key_hash: id(),
      /** What clients are shown; nobody connects there. */
      ip: text(255),
      port: int(),
      /** As the agent last said; 0 before it ever came. */
      seats: int(),
      /** JSON: its cards, what its apps need and how it places, as the agent last said; null while it has said nothing. */
      capacity: optional(json(long())),
      draining: flag(),
      /** JSON: the numbers of cards that take nothing new. */
      draining_cards: json(text(500), (value) => Array.isArray(value) && value.every(Number.isSafeInteger)),
      /** Since when it drains by its own agent's word, which that may take back; null while it does not, or an operator has said so. */
      drained_by_host_at: optional(instant()),
      /** The coordinator that it connected to last, by `coordinator_name`: only that one changes its sessions. */
      held_by: optional(id()),
      /** Since when its agents are refused, because one identity was on two machines. */
      quarantined_at: optional(instant()),
      source: choice('file', 'rest'),
      created_at: instant(),
      version: int(),
    },
    ['name'],
  ),

  /** One-time tokens by which an agent gets the key of its host. */
  enrolments: shape(
    'enrolments',
    {
      token_hash: id(),
      host: name(server_name_chars),
      made_by: id(),
      expires_at: instant(),
      used_at: optional(instant()),
    },
    ['token_hash'],
    { indexes: { host: ['host'], expires: ['expires_at'] } },
  ),

  /** What the servers.json of each coordinator lists, by its `coordinator_name`: a host that stands in two goes with the last one. */
  file_entries: shape(
    'file_entries',
    { file: id(), host: name(server_name_chars), app: name(app_name_chars) },
    ['file', 'host', 'app'],
  ),

  host_apps: shape(
    'host_apps',
    { host: name(server_name_chars), app: name(app_name_chars) },
    ['host', 'app'],
    {
      indexes: { app: ['app', 'host'] },
    },
  ),
};
