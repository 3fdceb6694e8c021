import type { OpenAPIHono } from '@hono/zod-openapi';
import { refuse } from '../../shared/errors.ts';
import { appRoutes } from './apps.ts';
import { auditRoutes } from './audit.ts';
import { catalogueAppRoutes } from './catalogue-apps.ts';
import { catalogueHostRoutes } from './catalogue-hosts.ts';
import type { Env } from './env.ts';
import { checkHost, checkOrigin, limitBody, setHeaders } from './guards.ts';
import { healthRoutes } from './health.ts';
import { describedRoutes } from './openapi.ts';
import { onError, problem } from './problems.ts';
import { recordRoutes } from './records.ts';
import { type SessionNeeds, sessionRoutes } from './sessions.ts';
import { type UpgradeNeeds, upgradeRoutes } from './upgrades.ts';
import { webhookRoutes } from './webhooks.ts';

/** Everything that the coordinator answers over HTTP, the site's pages aside. Listens on nothing. */
export const createApp = (needs: SessionNeeds & UpgradeNeeds): OpenAPIHono<Env> => {
  const { world, stopping } = needs;
  const catalogue = { ...world, catalogueChanged: () => world.store.refresh() };
  const app = describedRoutes();
  app.onError(onError(world.log, world.ids));
  app.notFound(() => problem(refuse('not_found')));
  app.use(setHeaders, checkHost);
  app.use('/api/*', checkOrigin(world.store), limitBody);
  return app
    .route('/', healthRoutes(world, stopping))
    .route('/', upgradeRoutes(needs))
    .route('/api/v1', appRoutes(world))
    .route('/api/v1', sessionRoutes(needs))
    .route('/api/v1', catalogueAppRoutes(catalogue))
    .route('/api/v1', catalogueHostRoutes(catalogue))
    .route('/api/v1', recordRoutes(world))
    .route('/api/v1', webhookRoutes(world))
    .route('/api/v1', auditRoutes(world));
};
