import { z } from 'zod';
import { PIXEL_STREAMING_VERSION } from '../../shared/protocol/pixel-streaming.ts';
import type { Config } from '../config.ts';
import type { Player, Registry, Streamer } from '../domain/registry.ts';
import { withoutSecrets } from '../options.ts';

/** Epic's version of this API. */
const rest_version = '3.0.0';

const statusSchema = z.object({
  uptime: z.number().describe('Milliseconds since the start'),
  streamer_count: z.int(),
  player_count: z.int(),
  version: z.string(),
});
const configSchema = z.object({
  config: z.looseObject({}).describe('The options in force, without secrets'),
  protocolConfig: z.object({ protocolVersion: z.string(), peerConnectionOptions: z.looseObject({}) }),
});
const playerSchema = z.object({
  playerId: z.string(),
  type: z.enum(['Player', 'SFU']),
  subscribedTo: z.string().optional(),
  remoteAddress: z.string(),
});
const streamerSchema = z.object({
  streamerId: z.string(),
  type: z.enum(['Streamer', 'SFU']),
  streaming: z.boolean(),
  remoteAddress: z.string(),
  subscribers: z.array(playerSchema),
});

/** What the answers are made from. */
export interface RestSources {
  config: Config;
  registry: Registry;
  uptime_ms: number;
}

interface Route {
  summary: string;
  schema: z.ZodType;
  /** The body; undefined when nothing has that id. */
  body(sources: RestSources, id: string): unknown;
  /** The answer then. */
  missing?(id: string): string;
}

const playerBody = ({ connection, kind, subscribed, remote }: Player, registry: Registry) => {
  const streamer = registry.streamers.get(subscribed ?? '');
  return {
    playerId: connection,
    type: kind,
    ...(streamer === undefined ? {} : { subscribedTo: streamer.id }),
    remoteAddress: remote,
  };
};

const streamerBody = ({ id, kind, streaming, remote, subscribers }: Streamer, registry: Registry) => ({
  streamerId: id,
  type: kind,
  streaming,
  remoteAddress: remote,
  subscribers: [...subscribers].flatMap((connection) => {
    const player = registry.players.get(connection);
    return player === undefined ? [] : [playerBody(player, registry)];
  }),
});

/** ICE servers without what opens them. */
const publicPeerOptions = ({ peer_options }: Config) => ({
  ...peer_options,
  ...(peer_options.iceServers === undefined
    ? {}
    : { iceServers: peer_options.iceServers.map(({ urls }) => ({ urls })) }),
});

const routes: Record<string, Route> = {
  '/api/status': {
    summary: 'How the server is',
    schema: statusSchema,
    body: ({ registry, uptime_ms }) => ({
      uptime: Math.round(uptime_ms),
      streamer_count: registry.streamers.size,
      player_count: registry.players.size,
      version: rest_version,
    }),
  },
  '/api/config': {
    summary: 'The options in force, without secrets',
    schema: configSchema,
    body: ({ config }) => ({
      config: withoutSecrets(config.options),
      protocolConfig: {
        protocolVersion: PIXEL_STREAMING_VERSION,
        peerConnectionOptions: publicPeerOptions(config),
      },
    }),
  },
  '/api/streamers': {
    summary: 'Every streamer and SFU',
    schema: z.array(streamerSchema),
    body: ({ registry }) =>
      [...registry.streamers.values()].map((streamer) => streamerBody(streamer, registry)),
  },
  '/api/streamers/{id}': {
    summary: 'One streamer or SFU',
    schema: streamerSchema,
    body: ({ registry }, id) => {
      const streamer = registry.streamers.get(registry.names.get(id) ?? '');
      return streamer && streamerBody(streamer, registry);
    },
    missing: (id) => `No streamer id matches ${id}.`,
  },
  '/api/players': {
    summary: 'Every player and SFU',
    schema: z.array(playerSchema),
    body: ({ registry }) => [...registry.players.values()].map((player) => playerBody(player, registry)),
  },
  '/api/players/{id}': {
    summary: 'One player or SFU',
    schema: playerSchema,
    body: ({ registry }, id) => {
      const player = registry.players.get(id);
      return player && playerBody(player, registry);
    },
    missing: (id) => `No player ID matches ${id}.`,
  },
};

const operation = (path: string, { summary, schema, missing }: Route) => ({
  get: {
    summary,
    ...(path.includes('{id}')
      ? { parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }] }
      : {}),
    responses: {
      200: { description: summary, content: { 'application/json': { schema: z.toJSONSchema(schema) } } },
      ...(missing === undefined ? {} : { 404: { description: 'Nothing has that id' } }),
    },
  },
});

/** The OpenAPI 3.1 document of this API. */
export const apiDefinition = () => ({
  openapi: '3.1.0',
  info: { title: 'Pixel Streaming signalling server', version: rest_version },
  paths: Object.fromEntries(Object.entries(routes).map(([path, route]) => [path, operation(path, route)])),
});

const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

/** The answer to a GET below /api; undefined when there is no such route. */
export const restAnswer = (pathname: string, sources: RestSources): Response | undefined => {
  if (pathname === '/api/api-definition') return Response.json(apiDefinition());
  const [, collection, last] = /^(\/api\/\w+)\/([^/]+)$/.exec(pathname) ?? [];
  const route = routes[collection === undefined ? pathname : `${collection}/{id}`];
  if (route === undefined) return undefined;
  const id = decoded(last ?? '');
  const body = route.body(sources, id);
  if (body !== undefined) return Response.json(body);
  return Response.json({ message: route.missing?.(id) }, { status: 404 });
};
