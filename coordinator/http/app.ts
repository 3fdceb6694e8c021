import type { OpenAPIHono } from '@hono/zod-openapi';
import { refuse } from '../../shared/errors.ts';
import type { Passwords } from '../broker/passwords.ts';
import { accountRoutes } from './accounts.ts';
import { appRoutes } from './apps.ts';
import { identify } from './auth.ts';
import { createAccessTokens } from './auth-tokens.ts';
import type { Env } from './env.ts';
import { checkHost, checkOrigin, limitBody, setHeaders } from './guards.ts';
import { healthRoutes } from './health.ts';
import { loginRoutes } from './logins.ts';
import { describedRoutes } from './openapi.ts';
import { onError, problem } from './problems.ts';
import { type SessionNeeds, sessionRoutes } from './sessions.ts';
import { type UpgradeNeeds, upgradeRoutes } from './upgrades.ts';

export interface AppNeeds extends SessionNeeds, UpgradeNeeds {
  readonly passwords: Passwords;
}

/** Everything that the coordinator answers over HTTP, the site's pages aside. Listens on nothing. */
export const createApp = (needs: AppNeeds): OpenAPIHono<Env> => {
  const { world, stopping, passwords } = needs;
  const tokens = createAccessTokens(world);
  const logins = { services: world, passwords, tokens };
  const app = describedRoutes();
  app.onError(onError(world.log, world.ids));
  app.notFound(() => problem(refuse('not_found')));
  app.use(setHeaders, checkHost);
  app.use('/api/*', checkOrigin(world.store), limitBody, identify(world.store, tokens));
  app.use('/ws', identify(world.store, tokens));
  return app
    .route('/', healthRoutes(world, stopping))
    .route('/', upgradeRoutes(needs))
    .route('/api/v1', loginRoutes(logins))
    .route('/api/v1', accountRoutes(logins))
    .route('/api/v1', appRoutes(world))
    .route('/api/v1', sessionRoutes(needs));
};
