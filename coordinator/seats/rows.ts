import { app_name_chars, server_name_chars } from '../catalogue/rows.ts';
import { choice, id, instant, long, name, optional, shape, text } from '../store/table.ts';

const network_chars = 64;
/** In UTF-16 units: what a name of 100 characters may take. */
const guest_name_chars = 400;

export const linkShapes = {
  /** Which coordinator last had the link of a host, and what can be started over it: others take seats of the host by it. */
  links: shape(
    'links',
    {
      host: name(server_name_chars),
      coordinator: id(),
      /** JSON: the apps that the agent says it can start; null while there is no link. */
      apps: optional(long()),
    },
    ['host'],
  ),
};

/** What is remembered of callers without an account while it matters. */
export const strangerShapes = {
  /**
   * What callers without an account have at the moment, so that no network has too much of it: a session, a place in the
   * queue or a booking, by its id. An address is kept no longer than that lasts.
   */
  strangers: shape(
    'strangers',
    {
      holder: id(),
      kind: choice('session', 'queue', 'booking'),
      network: name(network_chars),
      /** The /48 of an IPv6 network; of others the network itself. */
      wide: name(network_chars),
      expires_at: instant(),
    },
    ['holder'],
    {
      indexes: {
        network: ['kind', 'network'],
        wide: ['kind', 'wide'],
        expires: ['expires_at'],
      },
    },
  ),

  /** Who typed a code while codes are not looked at, and waits for the session's owner: or for nobody. */
  knocks: shape(
    'knocks',
    {
      /** What stands for the session's id while one waits. */
      id: id(),
      participant_id: id(),
      /** SHA-256 of the participant token. */
      token_hash: id(),
      code: id(),
      /** The app on whose page it was typed. */
      app: optional(name(app_name_chars)),
      /** What the owner is to call them. */
      guest_name: optional(text(guest_name_chars)),
      network: name(network_chars),
      /** The session, once its owner has let them in. */
      session_id: optional(id()),
      created_at: instant(),
      expires_at: instant(),
    },
    ['id'],
    {
      indexes: {
        participant: ['participant_id'],
        made: ['created_at'],
        expires: ['expires_at'],
      },
    },
  ),
};
