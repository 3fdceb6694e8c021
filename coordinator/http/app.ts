import type { OpenAPIHono } from '@hono/zod-openapi';
import { accountRoutes } from '../accounts/http.ts';
import { identify } from '../accounts/http-identify.ts';
import { loginRoutes } from '../accounts/http-logins.ts';
import type { Passwords } from '../accounts/passwords.ts';
import { createAccessTokens } from '../accounts/tokens.ts';
import { bookingRoutes } from '../bookings/http.ts';
import { catalogueAppRoutes } from '../catalogue/http.ts';
import { erasureRoutes } from '../erasure/http.ts';
import { agentCheckRoutes } from '../fleet/http-agent.ts';
import { enrolmentRoutes } from '../fleet/http-enrolments.ts';
import { catalogueHostRoutes } from '../fleet/http-hosts.ts';
import type { Fleet } from '../fleet/lives.ts';
import type { Env } from '../kit/http-env.ts';
import { describedRoutes } from '../kit/http-openapi.ts';
import { onError } from '../kit/http-problems.ts';
import type { RateLimits } from '../kit/rates.ts';
import { recordRoutes } from '../records/http.ts';
import { auditRoutes } from '../records/http-audit.ts';
import { appRoutes } from '../seats/http-apps.ts';
import { queueRoutes } from '../seats/http-queue.ts';
import { bookingNeeds } from '../sessions/booked.ts';
import { type SessionNeeds, sessionRoutes } from '../sessions/http.ts';
import { bookedRoutes } from '../sessions/http-booked.ts';
import { webhookRoutes } from '../webhooks/http.ts';
import { allowOrigins, answerPreflight } from './cors.ts';
import { checkHost, checkOrigin, limitBody, setHeaders } from './guards.ts';
import { healthRoutes } from './health.ts';
import { countRequests, metricsRoutes } from './metrics.ts';
import { nothingHere, type Site, siteRoutes } from './pages.ts';
import { limitRate } from './rates.ts';
import { readiness } from './readiness.ts';
import { referenceRoutes } from './reference.ts';
import { type UpgradeNeeds, upgradeRoutes } from './upgrades.ts';

export interface AppNeeds extends SessionNeeds, UpgradeNeeds {
  readonly world: Fleet;
  readonly rates: RateLimits;
  readonly passwords: Passwords;
  /** Brings an edit of the catalogue into force. */
  readonly catalogueChanged: () => Promise<void>;
  /** What this machine is called. */
  readonly host_name: string;
  /** Left out, there are no pages. */
  readonly site?: Site | undefined;
}

/** Everything that the coordinator answers over HTTP. Listens on nothing. */
export const createApp = (needs: AppNeeds): OpenAPIHono<Env> => {
  const { world, stopping, rates, passwords, site } = needs;
  const parts = readiness(world, stopping);
  const { store } = world;
  const catalogue = { ...world, catalogueChanged: needs.catalogueChanged };
  const tokens = createAccessTokens(world);
  const logins = { services: world, passwords, tokens, rates };
  const app = describedRoutes();
  app.onError(onError(world.log, world.ids));
  app.notFound(nothingHere(site, store));
  app.use(setHeaders(store), countRequests(world));
  // A page of an allowed site may read every refusal, so what lets it comes before what refuses.
  app.use('/api/*', allowOrigins(store));
  app.use(limitRate(rates, world), checkHost(store, needs.host_name));
  app.use('/api/*', answerPreflight(store), checkOrigin(store), limitBody, identify(store, tokens));
  app.use('/agent/*', limitBody);
  app.use('/ws', identify(store, tokens));
  if (site !== undefined) app.route('/', siteRoutes(site, store));
  app.route('/', referenceRoutes(app, store));
  return app
    .route('/', healthRoutes(world, parts))
    .route('/', metricsRoutes(world, parts))
    .route('/', upgradeRoutes(needs))
    .route('/', agentCheckRoutes({ ...catalogue, world }))
    .route('/api/v1', loginRoutes(logins))
    .route('/api/v1', accountRoutes(logins))
    .route('/api/v1', erasureRoutes(logins))
    .route('/api/v1', appRoutes(world))
    .route('/api/v1', sessionRoutes(needs))
    .route('/api/v1', queueRoutes(world))
    .route('/api/v1', bookingRoutes(world))
    .route('/api/v1', bookedRoutes(world, bookingNeeds(world)))
    .route('/api/v1', catalogueAppRoutes(catalogue))
    .route('/api/v1', catalogueHostRoutes(catalogue))
    .route('/api/v1', enrolmentRoutes(catalogue))
    .route('/api/v1', recordRoutes(world))
    .route('/api/v1', webhookRoutes(world))
    .route('/api/v1', auditRoutes(world));
};
