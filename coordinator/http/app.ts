import type { OpenAPIHono } from '@hono/zod-openapi';
import { refuse } from '../../shared/errors.ts';
import { appRoutes } from './apps.ts';
import { allowOrigins } from './cors.ts';
import type { Env } from './env.ts';
import { checkHost, checkOrigin, limitBody, setHeaders } from './guards.ts';
import { healthRoutes } from './health.ts';
import { describedRoutes } from './openapi.ts';
import { onError, problem } from './problems.ts';
import { referenceRoutes } from './reference.ts';
import { type SessionNeeds, sessionRoutes } from './sessions.ts';
import { type Site, siteRoutes } from './site.ts';
import { type UpgradeNeeds, upgradeRoutes } from './upgrades.ts';

export interface AppNeeds extends SessionNeeds, UpgradeNeeds {
  /** Left out, there are no pages. */
  readonly site?: Site | undefined;
}

/** Everything that the coordinator answers over HTTP. Listens on nothing. */
export const createApp = (needs: AppNeeds): OpenAPIHono<Env> => {
  const { world, stopping, site } = needs;
  const { store } = world;
  const app = describedRoutes();
  app.onError(onError(world.log, world.ids));
  app.notFound(() => problem(refuse('not_found')));
  app.use(setHeaders(store), checkHost(store));
  app.use('/api/*', allowOrigins(store), checkOrigin(store), limitBody);
  if (site !== undefined) app.route('/', siteRoutes(site, store));
  app.route('/', referenceRoutes(app, store));
  return app
    .route('/', healthRoutes(world, stopping))
    .route('/', upgradeRoutes(needs))
    .route('/api/v1', appRoutes(world))
    .route('/api/v1', sessionRoutes(needs));
};
