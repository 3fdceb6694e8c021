import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import {
  catalogueAppSchema,
  catalogueAppsSchema,
  changeAppSchema,
  createAppSchema,
} from '../../shared/protocol/catalogue.ts';
import { as, asVersion, empty, tagged } from '../kit/http-asked.ts';
import type { Env } from '../kit/http-env.ts';
import { answers, byBearer, describedRoutes, done, pathOf, refuses, takes } from '../kit/http-openapi.ts';
import {
  changeApp,
  createApp,
  listCatalogueApps,
  removeApp,
  showCatalogueApp,
  uploadPicture,
} from './apps.ts';
import type { CatalogueServices } from './data-directory.ts';
import { type CatalogueNeeds, inForce } from './http-edits.ts';

const shared = { tags: ['catalogue'], security: byBearer };
const one = { ...shared, request: { params: pathOf('name') } };
const denied = ['account_required', 'forbidden', 'malformed'] as const;
const versioned = [
  ...denied,
  'app_unknown',
  'version_required',
  'version_conflict',
  'managed_by_file',
] as const;
const needs_version = 'Needs If-Match with the ETag of the last read.';
const picture = { schema: z.string().meta({ format: 'binary' }) };

const described = {
  list: createRoute({
    ...shared,
    method: 'get',
    path: '/catalogue/apps',
    summary: 'List the apps with their settings',
    responses: { 200: answers(catalogueAppsSchema, 'All of them.'), ...refuses(...denied) },
  }),
  show: createRoute({
    ...one,
    method: 'get',
    path: '/catalogue/apps/{name}',
    summary: 'Show an app with its settings',
    responses: { 200: answers(catalogueAppSchema, 'The app.'), ...refuses(...denied, 'app_unknown') },
  }),
  create: createRoute({
    ...shared,
    method: 'post',
    path: '/catalogue/apps',
    summary: 'Add an app',
    request: { body: takes(createAppSchema) },
    responses: {
      201: answers(catalogueAppSchema, 'The app.'),
      ...refuses(...denied, 'name_taken', 'too_many'),
    },
  }),
  change: createRoute({
    ...one,
    method: 'patch',
    path: '/catalogue/apps/{name}',
    summary: 'Change the settings of an app',
    description: `${needs_version} Title, description and picture of an app that servers.json describes stay as they are there.`,
    request: { ...one.request, body: takes(changeAppSchema) },
    responses: { 200: answers(catalogueAppSchema, 'The app as it is now.'), ...refuses(...versioned) },
  }),
  upload: createRoute({
    ...one,
    method: 'put',
    path: '/catalogue/apps/{name}/picture',
    summary: 'Give an app a picture',
    description: `${needs_version} A PNG, JPEG, WebP or AVIF picture of up to 2 MiB.`,
    request: {
      ...one.request,
      body: {
        required: true,
        content: {
          'image/png': picture,
          'image/jpeg': picture,
          'image/webp': picture,
          'image/avif': picture,
        },
      },
    },
    responses: {
      200: answers(catalogueAppSchema, 'The app as it is now.'),
      ...refuses(...versioned, 'frame_too_large', 'storage_full'),
    },
  }),
  remove: createRoute({
    ...one,
    method: 'delete',
    path: '/catalogue/apps/{name}',
    summary: 'Remove an app that nobody has booked',
    description: needs_version,
    responses: { 204: done('It is gone.'), ...refuses(...versioned, 'in_use') },
  }),
};

/** Apps as operators edit them, under `/api/v1`. */
export const catalogueAppRoutes = (
  needs: CatalogueNeeds & Pick<CatalogueServices, 'files'>,
): OpenAPIHono<Env> =>
  describedRoutes()
    .openapi(described.list, (c) =>
      as(c, 'operator', async () => c.json({ apps: await listCatalogueApps(needs) })),
    )
    .openapi(described.show, (c) =>
      as(c, 'operator', async () => tagged(c, await showCatalogueApp(needs, c.req.valid('param').name))),
    )
    .openapi(described.create, (c) =>
      as(c, 'operator', async ({ id: actor }) =>
        tagged(c, await inForce(needs, createApp(needs, actor, c.req.valid('json'))), 201),
      ),
    )
    .openapi(described.change, (c) =>
      asVersion(c, 'operator', async (actor, version) => {
        const { name } = c.req.valid('param');
        return tagged(c, await inForce(needs, changeApp(needs, actor, name, version, c.req.valid('json'))));
      }),
    )
    .openapi(described.upload, (c) =>
      asVersion(c, 'operator', async (actor, version) => {
        const bytes = new Uint8Array(await c.req.arrayBuffer());
        const { name } = c.req.valid('param');
        return tagged(c, await inForce(needs, uploadPicture(needs, actor, name, version, bytes)));
      }),
    )
    .openapi(described.remove, (c) =>
      asVersion(c, 'operator', async (actor, version) =>
        empty(c, await inForce(needs, removeApp(needs, actor, c.req.valid('param').name, version))),
      ),
    );
