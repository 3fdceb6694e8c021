import type { OpenAPIHono } from '@hono/zod-openapi';
import { refuse } from '../../shared/errors.ts';
import { bookingNeeds } from '../broker/booked-sessions.ts';
import { appRoutes } from './apps.ts';
import { auditRoutes } from './audit.ts';
import { bookingRoutes } from './bookings.ts';
import { catalogueAppRoutes } from './catalogue-apps.ts';
import { catalogueHostRoutes } from './catalogue-hosts.ts';
import { allowOrigins } from './cors.ts';
import type { Env } from './env.ts';
import { checkHost, checkOrigin, limitBody, setHeaders } from './guards.ts';
import { healthRoutes } from './health.ts';
import { countRequests, metricsRoutes } from './metrics.ts';
import { describedRoutes } from './openapi.ts';
import { onError, problem } from './problems.ts';
import { queueRoutes } from './queue.ts';
import { limitRate, type RateLimits } from './rate-limits.ts';
import { readiness } from './readiness.ts';
import { recordRoutes } from './records.ts';
import { referenceRoutes } from './reference.ts';
import { type SessionNeeds, sessionRoutes } from './sessions.ts';
import { type Site, siteRoutes } from './site.ts';
import { type UpgradeNeeds, upgradeRoutes } from './upgrades.ts';
import { webhookRoutes } from './webhooks.ts';

export interface AppNeeds extends SessionNeeds, UpgradeNeeds {
  readonly rates: RateLimits;
  /** Brings an edit of the catalogue into force. */
  readonly catalogueChanged: () => Promise<void>;
  /** Left out, there are no pages. */
  readonly site?: Site | undefined;
}

/** Everything that the coordinator answers over HTTP. Listens on nothing. */
export const createApp = (needs: AppNeeds): OpenAPIHono<Env> => {
  const { world, stopping, rates, site } = needs;
  const parts = readiness(world, rates, stopping);
  const { store } = world;
  const catalogue = { ...world, catalogueChanged: needs.catalogueChanged };
  const app = describedRoutes();
  app.onError(onError(world.log, world.ids));
  app.notFound(() => problem(refuse('not_found')));
  app.use(setHeaders(store), countRequests(world), checkHost(store));
  app.use('/api/*', allowOrigins(store), limitRate(rates), checkOrigin(store), limitBody);
  if (site !== undefined) app.route('/', siteRoutes(site, store));
  app.route('/', referenceRoutes(app, store));
  return app
    .route('/', healthRoutes(world, parts))
    .route('/', metricsRoutes(world, parts))
    .route('/', upgradeRoutes(needs))
    .route('/api/v1', appRoutes(world))
    .route('/api/v1', sessionRoutes(needs))
    .route('/api/v1', queueRoutes(world))
    .route('/api/v1', bookingRoutes(world, bookingNeeds(world)))
    .route('/api/v1', catalogueAppRoutes(catalogue))
    .route('/api/v1', catalogueHostRoutes(catalogue))
    .route('/api/v1', recordRoutes(world))
    .route('/api/v1', webhookRoutes(world))
    .route('/api/v1', auditRoutes(world));
};
