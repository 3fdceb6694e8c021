import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { isRefusal } from '../../shared/errors.ts';
import {
  catalogueHostSchema,
  catalogueHostsSchema,
  changeHostSchema,
  createHostSchema,
  enrolmentSchema,
  hostKeySchema,
  makeEnrolmentSchema,
} from '../../shared/protocol/catalogue.ts';
import { type CatalogueNeeds, inForce } from '../catalogue/http-edits.ts';
import { publicBase } from '../kit/http-addresses.ts';
import { as, asVersion, empty, tagged } from '../kit/http-asked.ts';
import type { Env } from '../kit/http-env.ts';
import { answers, byBearer, describedRoutes, done, pathOf, refuses, takes } from '../kit/http-openapi.ts';
import { problem } from '../kit/http-problems.ts';
import { enrolCommand, makeEnrolment } from './enrolments.ts';
import {
  changeHost,
  createHost,
  listCatalogueHosts,
  removeHost,
  renewHostKey,
  showCatalogueHost,
} from './hosts.ts';
import { releaseHost } from './quarantine.ts';
import type { HostViewNeeds } from './view.ts';

const shared = { tags: ['catalogue'], security: byBearer };
const one = { ...shared, request: { params: pathOf('name') } };
const denied = ['account_required', 'forbidden', 'malformed'] as const;
const versioned = [
  ...denied,
  'host_unknown',
  'version_required',
  'version_conflict',
  'managed_by_file',
] as const;
const needs_version = 'Needs If-Match with the ETag of the last read.';

const described = {
  list: createRoute({
    ...shared,
    method: 'get',
    path: '/catalogue/hosts',
    summary: 'List the hosts',
    responses: { 200: answers(catalogueHostsSchema, 'All of them.'), ...refuses(...denied) },
  }),
  show: createRoute({
    ...one,
    method: 'get',
    path: '/catalogue/hosts/{name}',
    summary: 'Show a host',
    responses: { 200: answers(catalogueHostSchema, 'The host.'), ...refuses(...denied, 'host_unknown') },
  }),
  create: createRoute({
    ...shared,
    method: 'post',
    path: '/catalogue/hosts',
    summary: 'Add a host',
    description: 'The answer is the only one that shows the key, which its agent presents.',
    request: { body: takes(createHostSchema) },
    responses: {
      201: answers(hostKeySchema, 'The host and its key.'),
      ...refuses(...denied, 'name_taken', 'app_unknown', 'too_many'),
    },
  }),
  change: createRoute({
    ...one,
    method: 'patch',
    path: '/catalogue/hosts/{name}',
    summary: 'Drain a host or cards of it, or say which apps it has',
    description: `${needs_version} The apps of a host that servers.json describes stay as they are there.`,
    request: { ...one.request, body: takes(changeHostSchema) },
    responses: {
      200: answers(catalogueHostSchema, 'The host as it is now.'),
      ...refuses(...versioned, 'app_unknown'),
    },
  }),
  key: createRoute({
    ...one,
    method: 'post',
    path: '/catalogue/hosts/{name}/key',
    summary: 'Give a host a new key',
    description: 'The one before opens nothing from now on.',
    responses: {
      200: answers(hostKeySchema, 'The host and its new key.'),
      ...refuses(...denied, 'host_unknown', 'managed_by_file'),
    },
  }),
  enrol: createRoute({
    ...one,
    method: 'post',
    path: '/catalogue/hosts/{name}/enrolments',
    summary: "Make a one-time token by which an agent gets the host's key",
    description: 'A new one voids the one before. The answer is the only one that shows it.',
    request: { ...one.request, body: takes(makeEnrolmentSchema) },
    responses: {
      201: answers(enrolmentSchema, 'The token, and the command to run on the host.'),
      ...refuses(...denied, 'host_unknown', 'managed_by_file'),
    },
  }),
  release: createRoute({
    ...one,
    method: 'delete',
    path: '/catalogue/hosts/{name}/quarantine',
    summary: 'Let the agents of a host in again',
    description: 'A host is locked when two machines have its key. A new key or enrolment unlocks it, too.',
    responses: { 204: done('They may come.'), ...refuses(...denied, 'host_unknown') },
  }),
  remove: createRoute({
    ...one,
    method: 'delete',
    path: '/catalogue/hosts/{name}',
    summary: 'Remove a host on which nothing is booked and nothing runs',
    description: needs_version,
    responses: { 204: done('It is gone.'), ...refuses(...versioned, 'in_use') },
  }),
};

/** Hosts as operators edit them, under `/api/v1`. */
export const catalogueHostRoutes = (needs: CatalogueNeeds & HostViewNeeds): OpenAPIHono<Env> =>
  describedRoutes()
    .openapi(described.list, (c) =>
      as(c, 'operator', async () => c.json({ hosts: await listCatalogueHosts(needs) })),
    )
    .openapi(described.show, (c) =>
      as(c, 'operator', async () => tagged(c, await showCatalogueHost(needs, c.req.valid('param').name))),
    )
    .openapi(described.create, (c) =>
      as(c, 'operator', async ({ id: actor }) =>
        tagged(c, await inForce(needs, createHost(needs, actor, c.req.valid('json'))), 201),
      ),
    )
    .openapi(described.change, (c) =>
      asVersion(c, 'operator', async (actor, version) => {
        const { name } = c.req.valid('param');
        return tagged(c, await inForce(needs, changeHost(needs, actor, name, version, c.req.valid('json'))));
      }),
    )
    .openapi(described.key, (c) =>
      as(c, 'operator', async ({ id: actor }) =>
        tagged(c, await inForce(needs, renewHostKey(needs, actor, c.req.valid('param').name))),
      ),
    )
    .openapi(described.enrol, (c) =>
      as(c, 'operator', async ({ id: actor }) => {
        const { minutes } = c.req.valid('json');
        const made = await makeEnrolment(needs, actor, c.req.valid('param').name, minutes);
        if (isRefusal(made)) return problem(made);
        const { origin } = publicBase(c, needs.store.configuration());
        return c.json({ ...made, command: enrolCommand(origin, made.token) }, 201);
      }),
    )
    .openapi(described.release, (c) =>
      as(c, 'operator', async ({ id: actor }) =>
        empty(c, await inForce(needs, releaseHost(needs, actor, c.req.valid('param').name))),
      ),
    )
    .openapi(described.remove, (c) =>
      asVersion(c, 'operator', async (actor, version) =>
        empty(c, await inForce(needs, removeHost(needs, actor, c.req.valid('param').name, version))),
      ),
    );
